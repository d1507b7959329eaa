use std::sync::atomic::AtomicBool;
use std::thread;

use super::*;

const NOW: i64 = 1_000;

fn facts(number: u64) -> Facts {
    Facts {
        expiration_time: NOW + 1,
        key_id: KeyId::new(7),
        redacted_len: 9,
        part: [number; 4],
    }
}

impl Cache {
    pub(crate) fn len(&self) -> usize {
        let table = self.0.as_ref().and_then(|table| table.slots.get());
        table.map_or(0, |slots| {
            slots.iter().filter(|slot| !slot.is_empty()).count()
        })
    }

    fn put(&self, text: &str, facts: &Facts) {
        self.place(text).unwrap().put(facts, NOW);
    }

    fn get(&self, text: &str) -> Option<Facts> {
        self.place(text)?.get(NOW)
    }
}

#[test]
fn what_was_put_is_found_whole() {
    let cache = Cache::new(10);
    let kept = Facts {
        expiration_time: i64::MAX,
        key_id: KeyId::new(u32::MAX),
        redacted_len: u32::MAX,
        part: [1, u64::MAX, 3, 4],
    };
    assert_eq!(cache.get("a"), None);
    cache.put("a", &kept);
    assert_eq!(cache.get("a"), Some(kept));
    assert_eq!(cache.get("b"), None);
}

#[test]
fn what_expires_is_not_found_from_its_second_on() {
    let cache = Cache::new(1);
    cache.put("a", &facts(1));
    let place = cache.place("a").unwrap();
    assert_eq!(place.get(NOW), Some(facts(1)));
    assert_eq!(place.get(NOW + 1), None);
    assert_eq!(place.get(i64::MAX), None);
    assert_eq!(place.get(i64::MIN), Some(facts(1)));
}

#[test]
fn no_more_is_kept_than_asked_for() {
    for capacity in [1, 2, 7, 8, 9, 100] {
        let cache = Cache::new(capacity);
        for number in 0..1000 {
            let text = number.to_string();
            cache.put(&text, &facts(number));
            assert_eq!(cache.get(&text), Some(facts(number)));
        }
        assert_eq!(cache.len(), capacity);
    }
    assert!(Cache::new(0).place("a").is_none());
    assert_eq!(Cache::new(usize::MAX).0.unwrap().capacity, LARGEST);
}

#[test]
fn a_ticket_is_kept_once() {
    let cache = Cache::new(8);
    cache.put("a", &facts(1));
    cache.put("a", &facts(1));
    assert_eq!(cache.len(), 1);
}

#[test]
fn tickets_with_one_end_are_told_apart() {
    let cache = Cache::new(8);
    let text = |number: u64| format!("{number} and sixteen bytes or more");
    for number in 0..4 {
        cache.put(&text(number), &facts(number));
    }
    for number in 0..4 {
        assert_eq!(cache.get(&text(number)), Some(facts(number)));
    }
    assert_eq!(cache.get(&text(4)), None);
}

#[test]
fn the_expired_goes_first() {
    let cache = Cache::new(2);
    let expired = Facts {
        expiration_time: NOW,
        ..facts(1)
    };
    cache.put("a", &expired);
    cache.put("b", &facts(2));
    cache.put("c", &facts(3));
    assert_eq!(cache.get("b"), Some(facts(2)));
    assert_eq!(cache.get("c"), Some(facts(3)));
}

#[test]
fn what_is_asked_for_stays_when_others_come_once() {
    let cache = Cache::new(8);
    cache.put("often", &facts(0));
    for number in 0..1000 {
        assert_eq!(cache.get("often"), Some(facts(0)));
        cache.put(&number.to_string(), &facts(number));
    }
}

#[test]
fn a_place_that_is_being_written_counts_as_empty() {
    let slot = Slot::default();
    let [one, two] = ["a", "b"].map(|text| Digest::of(text).unwrap());
    slot.write(0, &one, &facts(1));
    assert_eq!(slot.read(&one), Some(facts(1)));
    slot.begin_for_test();
    assert_eq!(slot.read(&one), None);
    slot.write(0, &two, &facts(2));
    assert!(slot.holds(&one) && !slot.holds(&two));
}

#[test]
fn readers_never_see_half_of_one_and_half_of_another() {
    let slot = Slot::default();
    let digests: Vec<Digest> = (0..3)
        .map(|number| Digest::of(&number.to_string()).unwrap())
        .collect();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut seen = 0;
                    while !done.load(std::sync::atomic::Ordering::Relaxed) || seen == 0 {
                        for (number, digest) in (0..).zip(&digests) {
                            if let Some(read) = slot.read(digest) {
                                assert_eq!(read, facts(number));
                                seen += 1;
                            }
                        }
                    }
                })
            })
            .collect();
        for _ in 0..20_000 {
            for (number, digest) in (0..).zip(&digests) {
                slot.write(0, digest, &facts(number));
            }
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        readers
            .into_iter()
            .for_each(|reader| reader.join().unwrap());
    });
}

#[test]
fn an_emptied_cache_has_the_size_of_the_other_and_none_of_its_tickets() {
    let cache = Cache::new(3);
    cache.put("a", &facts(1));
    let emptied = cache.emptied();
    assert_eq!(emptied.get("a"), None);
    assert_eq!(format!("{emptied:?}"), "Cache { capacity: 3, .. }");
    assert_eq!(cache.get("a"), Some(facts(1)));
    assert!(Cache::new(0).emptied().place("a").is_none());
}

#[test]
fn a_text_is_remembered_up_to_the_longest() {
    let cache = Cache::new(WINDOW);
    let text = "a".repeat(digest::LONGEST + 2);
    for len in [digest::LONGEST, digest::LONGEST + 1, digest::LONGEST + 2] {
        let text = &text[..len];
        cache.put(text, &facts(1));
        assert_eq!(cache.get(text).is_some(), len == digest::LONGEST, "{len}");
    }
}

#[test]
fn each_bit_of_the_end_of_a_text_changes_half_of_the_bits_of_its_place() {
    let mut random = fastrand::Rng::with_seed(1);
    for _ in 0..4 {
        let key = [random.u64(..), random.u64(..)];
        for bit in 0..128 {
            let mut changed = 0;
            for _ in 0..256 {
                let text = random.u128(..);
                let mixed = [text, text ^ (1 << bit)].map(|text| mix(&text.to_le_bytes(), key));
                changed += (mixed[0] ^ mixed[1]).count_ones();
            }
            // Of 64 bits each: by chance, the mean is within 1.5 of 32.
            assert!((28 * 256..=36 * 256).contains(&changed), "{bit}: {changed}");
        }
    }
}
