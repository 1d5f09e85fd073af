//! Patches to play.

/// Every kind, a feedback loop, random sources, eight voices into one, a gate that is on before the first frame.
pub const EVERYTHING: &str = "\
create noise --id hiss color=pink
create lfo --id wander shape=random rate=7hz
create lfo --id sweep rate=0.7hz
create vco*8 --id choir freq=110 shape=saw
create vco --id lead freq=220 shape=pulse pw=0.3
create vco --id partner freq=331
create vcf --id filter cutoff=900 res=0.6 model=ladder slope=24
create vcf*8 --id voices cutoff=1.4khz res=0.3
create vca --id amp gain=0.4
create adsr --id env attack=30ms decay=200ms sustain=0.5 release=300ms
create mix --id sum gain1=0.05 gain2=0.2 gain3=0.1 gain4=0.4
create sh --id hold
create slew --id glide rise=20ms fall=40ms
create delay --id echo time=150ms feedback=0.4 mix=0.5
create scope --id eye
connect wander > glide > lead.freq
connect sweep > choir.freq --gain 0.3
connect sweep > filter.cutoff
connect hiss > hold
connect wander > hold.trig
connect hold > partner.freq --gain 0.5
connect lead.sine > partner.fm --gain 0.4
connect lead.phase > partner.sync
connect choir > voices
connect voices > sum.in1
connect lead > sum.in2
connect hiss > sum.in3
connect partner > sum.in4
connect sum > filter > amp
connect env > amp.gain
connect amp > echo > eye > out
connect echo > filter.in --gain 0.2
gate env on
";

/// A steady sound with random parts.
pub const PLAYING: &str = "\
create vco --id 1 freq=c3
create noise --id 2
create lfo --id 3 shape=random rate=11hz
create vcf --id 4 cutoff=800 res=0.5
create vca --id 5 gain=0.3
connect 3 > 4.cutoff
connect 1.saw > 4 > 5 > out
connect 2 > 4 --gain 0.1
";
