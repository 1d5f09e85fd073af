"""Draws docs/picture.svg: python3 docs/picture.py > docs/picture.svg. Times are a drawing, not a measurement."""

INK, PALE, ENGINE, GREY = "#222", "#f4f1ea", "#c9d7e3", "#8a8578"
WORKERS = ("#e8b04a", "#d9774f", "#7aa874")
parts = []


def text(x, y, words, size=13, anchor="start", fill=INK, weight="normal"):
    parts.append(f'<text x="{x}" y="{y}" font-size="{size}" text-anchor="{anchor}" fill="{fill}" font-weight="{weight}">{words}</text>')


def box(x, y, width, height, fill, stroke=INK, dash=""):
    dash = f' stroke-dasharray="{dash}"' if dash else ""
    parts.append(f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="4" fill="{fill}" stroke="{stroke}"{dash}/>')


def line(points, colour=INK, arrow=True, dash=""):
    marker = ' marker-end="url(#tip)"' if arrow else ""
    dash = f' stroke-dasharray="{dash}"' if dash else ""
    path = " ".join(f"{x},{y}" for x, y in points)
    parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}"{marker}{dash}/>')


# Processes.
text(20, 28, "Processes", 16, weight="bold")
box(20, 44, 130, 40, PALE)
text(85, 69, "keeper", anchor="middle")
box(20, 124, 130, 86, ENGINE)
text(85, 146, "engine", anchor="middle")
for row, words in enumerate(("session, OSC, REPL", "conductor, out", "supervisor")):
    text(85, 164 + 17 * row, words, 11.5, "middle")
box(190, 124, 110, 40, PALE)
text(245, 149, "zygote", anchor="middle")
line([(60, 84), (60, 122)])
line([(120, 84), (120, 104), (245, 104), (245, 122)])
names = ("vco 1", "vcf 2", "lfo 3")
for number, (name, colour) in enumerate(zip(names, WORKERS)):
    box(190 + 92 * number, 212, 82, 44, colour)
    text(231 + 92 * number, 231, f"worker {number}", 12, "middle")
    text(231 + 92 * number, 248, name, 12, "middle")
    line([(245, 164), (245, 188), (231 + 92 * number, 188), (231 + 92 * number, 210)])
box(466, 212, 82, 44, "none", GREY, "4 3")
text(507, 231, "idle, parked", 12, "middle", GREY)
text(507, 248, "on a futex", 12, "middle", GREY)
box(558, 212, 82, 44, "none", GREY, "4 3")
text(599, 231, "spares", 12, "middle", GREY)
text(599, 248, "take any lane", 12, "middle", GREY)
line([(245, 188), (507, 188), (507, 210)], GREY)
line([(507, 188), (599, 188), (599, 210)], GREY)

# Memory.
box(20, 322, 150, 58, ENGINE)
text(95, 346, "engine segment", 12.5, "middle")
text(95, 364, "cycle, plans, events", 11.5, "middle")
for number, (name, colour) in enumerate(zip(names, WORKERS)):
    box(190 + 92 * number, 322, 82, 58, colour)
    text(231 + 92 * number, 341, f"lane {number}", 12.5, "middle")
    text(231 + 92 * number, 357, "state: 2 banks", 10.5, "middle")
    text(231 + 92 * number, 372, "8 blocks out", 10.5, "middle")
    line([(231 + 92 * number, 256), (231 + 92 * number, 320)])
box(466, 322, 174, 58, PALE)
text(553, 346, "tables", 12.5, "middle")
text(553, 364, "sealed: nobody writes", 11.5, "middle")
line([(85, 210), (85, 320)])
parts.append('<rect x="16" y="288" width="300" height="24" fill="#fff"/>')
text(20, 306, "Shared memory: one writer each", 16, weight="bold")
text(20, 402, "Arrows write. All workers read everything, through read-only mappings; the engine writes no lane.", 12, fill=GREY)

# A cycle.
text(20, 446, "A block, three workers on one core; lead 1: it waits in the ring", 16, weight="bold")
left, right, rows = 150, 640, {"device": 470, "conductor": 506, "worker 2": 542, "worker 0": 578, "worker 1": 614}
for name, y in rows.items():
    text(20, y + 15, name, 12)
    line([(left, y + 22), (right, y + 22)], "#ddd", arrow=False)


def span(name, start, end, fill, words=""):
    box(left + start, rows[name], end - start, 20, fill)
    text(left + (start + end) / 2, rows[name] + 14, words, 11, "middle")


def hop(one, start, other, end):
    line([(left + start, rows[one] + 20), (left + end, rows[other] - (-22 if rows[one] > rows[other] else 1))])


span("device", 0, 200, PALE, "takes block n-2")
span("device", 200, 400, PALE, "takes block n-1")
span("device", 400, 490, PALE, "block n")
for start, name in ((2, ""), (202, "+1")):
    fills = WORKERS if not name else (PALE, PALE, PALE)
    span("conductor", start, start + 22, ENGINE if not name else PALE, "go")
    span("worker 2", start + 28, start + 46, fills[2], "lfo")
    span("worker 0", start + 52, start + 80, fills[0], "vco")
    span("worker 1", start + 86, start + 116, fills[1], "vcf")
    span("conductor", start + 122, start + 148, ENGINE if not name else PALE, "out")
    text(left + start + 152, rows["conductor"] + 14, f"n{name}", 11)
    hop("conductor", start + 22, "worker 2", start + 30)
    line([(left + start + 22, rows["conductor"] + 20), (left + start + 54, rows["worker 0"] - 1)], GREY, dash="3 3")
    hop("worker 0", start + 80, "worker 1", start + 89)
    line([(left + start + 116, rows["worker 1"]), (left + start + 125, rows["conductor"] + 23)])
line([(left + 168, rows["conductor"]), (left + 398, rows["device"] + 23)])
deadline = left + 400 - 60
line([(deadline, 462), (deadline, 644)], "#b03030", arrow=False, dash="2 3")
text(deadline - 4, 658, "a margin of 0.3 blocks", 11, "middle", "#b03030")
line([(left + 400, 462), (left + 400, 644)], GREY, arrow=False, dash="2 3")
text(left + 408, 658, "needed", 11, "start", GREY)

body = "\n".join(parts)
print(f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 664 676" font-family="Helvetica, Arial, sans-serif">
<defs><marker id="tip" markerWidth="7" markerHeight="7" refX="6" refY="3" orient="auto"><path d="M0,0 L7,3 L0,6 z" fill="{INK}"/></marker></defs>
<rect width="664" height="676" fill="#fff"/>
{body}
</svg>""")
