//! Who plays what: deals the notes of a module with several channels to its channels.
//!
//! A note goes to the channel that has been free for longest; where none is, it takes the one that was struck first. One that is held
//! already is struck again on its own channel. A single channel plays the note that came last, and goes back to the one before when it ends.

use std::collections::HashMap;

use tine_protocol::ids::Slot;
use tine_protocol::spec::CHANNELS_MAX;

/// Notes that one channel remembers beneath the one that sounds.
const BENEATH_MAX: usize = CHANNELS_MAX;

/// What every module that was ever played plays. Cheap to clone while few are.
#[derive(Clone, Debug, Default)]
pub struct Voices(HashMap<Slot, Voicing>);

#[derive(Clone, Debug, Default)]
struct Voicing {
    /// Per channel: what it holds, and when that began or ended.
    channels: Vec<Voice>,
    /// Of a single channel: what is held beneath what sounds, oldest first.
    beneath: Vec<Note>,
    turn: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Voice {
    held: Option<Note>,
    since: u64,
}

/// A note that is held.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Note {
    /// Octaves from C4.
    pub pitch: f32,
    /// 0..1.
    pub velocity: f32,
}

/// Where a note goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strike {
    /// The channel; with unison the first of its group.
    pub channel: usize,
    /// It sounds already, and is to close its gate first.
    pub is_open: bool,
}

/// What the end of a note comes to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Release {
    /// Nobody held it.
    Nothing,
    /// This channel's gate closes.
    Close(usize),
    /// The channel goes back to a note that was held all the while.
    Back(Note),
}

impl Voices {
    /// Deals `note` to a module whose channels are played in `groups`.
    pub fn strike(&mut self, slot: Slot, groups: usize, note: Note) -> Strike {
        let voicing = self.voicing(slot, groups);
        voicing.turn += 1;
        let turn = voicing.turn;
        if let [only] = &mut voicing.channels[..] {
            let is_open = only.held.is_some();
            if let Some(below) = only.held.replace(note)
                && below.pitch != note.pitch
            {
                voicing.beneath.retain(|old| old.pitch != below.pitch && old.pitch != note.pitch);
                if voicing.beneath.len() == BENEATH_MAX {
                    voicing.beneath.remove(0);
                }
                voicing.beneath.push(below);
            }
            return Strike { channel: 0, is_open };
        }
        let same = voicing.channels.iter().position(|voice| voice.held.is_some_and(|held| held.pitch == note.pitch));
        let oldest = |is_held: bool| {
            let fits = voicing.channels.iter().enumerate().filter(|(_, voice)| voice.held.is_some() == is_held);
            fits.min_by_key(|(_, voice)| voice.since).map(|(channel, _)| channel)
        };
        let channel = same.or_else(|| oldest(false)).or_else(|| oldest(true)).unwrap_or(0);
        let voice = &mut voicing.channels[channel];
        let is_open = voice.held.is_some();
        *voice = Voice { held: Some(note), since: turn };
        Strike { channel, is_open }
    }

    /// Ends the note of `pitch`.
    pub fn release(&mut self, slot: Slot, groups: usize, pitch: f32) -> Release {
        let voicing = self.voicing(slot, groups);
        voicing.turn += 1;
        let turn = voicing.turn;
        voicing.beneath.retain(|note| note.pitch != pitch);
        let sounding = voicing.channels.iter().position(|voice| voice.held.is_some_and(|held| held.pitch == pitch));
        let Some(channel) = sounding else { return Release::Nothing };
        let back = if voicing.channels.len() == 1 { voicing.beneath.pop() } else { None };
        voicing.channels[channel] = Voice { held: back, since: turn };
        back.map_or(Release::Close(channel), Release::Back)
    }

    /// Forgets what a module plays: all its gates are closed or opened by hand.
    pub fn forget(&mut self, slot: Slot) {
        self.0.remove(&slot);
    }

    /// Forgets the modules that are not there any more.
    pub fn keep(&mut self, is_there: impl Fn(Slot) -> bool) {
        self.0.retain(|slot, _| is_there(*slot));
    }

    fn voicing(&mut self, slot: Slot, groups: usize) -> &mut Voicing {
        let voicing = self.0.entry(slot).or_default();
        // Another number of voices: what was held before is not known to be held.
        if voicing.channels.len() != groups.max(1) {
            *voicing = Voicing { channels: vec![Voice::default(); groups.max(1)], ..Voicing::default() };
        }
        voicing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLOT: Slot = Slot(7);

    fn note(pitch: f32) -> Note {
        Note { pitch, velocity: 1.0 }
    }

    #[test]
    fn notes_go_to_free_channels_and_then_to_the_oldest() {
        let mut voices = Voices::default();
        let strike = |voices: &mut Voices, pitch| {
            let Strike { channel, is_open } = voices.strike(SLOT, 3, note(pitch));
            (channel, is_open)
        };
        for channel in 0..3 {
            assert_eq!(strike(&mut voices, channel as f32), (channel, false));
        }
        assert_eq!(strike(&mut voices, 9.0), (0, true), "the one that was struck first is taken");
        assert_eq!(voices.release(SLOT, 3, 0.0), Release::Nothing, "its note is gone");
        assert_eq!(voices.release(SLOT, 3, 2.0), Release::Close(2));
        assert_eq!(voices.release(SLOT, 3, 1.0), Release::Close(1));
        assert_eq!(strike(&mut voices, 9.0), (0, true), "a note that is held is struck again where it is");
        assert_eq!(strike(&mut voices, 4.0), (2, false), "the one that has been free for longest");
        assert_eq!(strike(&mut voices, 5.0), (1, false));
    }

    #[test]
    fn a_single_channel_goes_back_to_the_note_beneath() {
        let mut voices = Voices::default();
        assert!(!voices.strike(SLOT, 1, note(0.0)).is_open);
        assert!(voices.strike(SLOT, 1, note(1.0)).is_open);
        assert!(voices.strike(SLOT, 1, note(2.0)).is_open);
        assert_eq!(voices.release(SLOT, 1, 1.0), Release::Nothing);
        assert_eq!(voices.release(SLOT, 1, 2.0), Release::Back(note(0.0)));
        assert_eq!(voices.release(SLOT, 1, 0.0), Release::Close(0));
        for pitch in 0..100 {
            voices.strike(SLOT, 1, note(pitch as f32));
        }
        voices.forget(SLOT);
        assert_eq!(voices.release(SLOT, 1, 99.0), Release::Nothing);
    }
}
