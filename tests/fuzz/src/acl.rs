//! Properties of any access control list: the same decision as a second, slower implementation. The
//! second one is written from the protocol alone and shares no code or idea with the first.

use vouchsafe_wazo_auth::acl::{Acl, Rules};

/// Fields separated by zero bytes: flags, the access, two ids, and the patterns. Of the flags, `o`
/// chooses the old rules, `m` leaves the user's id out, and `s` that of the session.
pub fn acl(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let fields: Vec<&str> = text.split('\0').collect();
    let [flags, access, auth_id, session_uuid, patterns @ ..] = fields.as_slice() else {
        return;
    };
    let naive = Naive {
        is_old: flags.contains('o'),
        auth_id: (!flags.contains('m')).then_some(*auth_id),
        session_uuid: (!flags.contains('s')).then_some(*session_uuid),
        patterns,
    };
    // The second implementation takes as many steps as its table has fields.
    if patterns.len() * access.len() * text.len() > 1 << 22 {
        return;
    }
    naive.compare(access);
}

struct Naive<'a> {
    is_old: bool,
    auth_id: Option<&'a str>,
    session_uuid: Option<&'a str>,
    patterns: &'a [&'a str],
}

impl Naive<'_> {
    fn compare(&self, access: &str) {
        let mut acl = Acl::builder();
        if self.is_old {
            acl = acl.rules(Rules::Old);
        }
        if let Some(id) = self.auth_id {
            acl = acl.auth_id(id);
        }
        if let Some(id) = self.session_uuid {
            acl = acl.session_uuid(id);
        }
        let acl = acl.build(self.patterns.iter().copied());
        assert!(acl.patterns().eq(self.patterns.iter().copied()));
        let place = format!("{access:?} under {:?}", self.patterns);
        assert_eq!(acl.allows(access), self.allows(access), "{place}");
        let bare = match access.strip_prefix('!') {
            Some(bare) if !self.is_old => bare,
            _ => access,
        };
        let may_add = bare.len() < access.len() || self.allows(access);
        assert_eq!(acl.may_add(access), may_add, "adding {place}");
        assert_eq!(
            acl.may_remove(access),
            self.allows(bare),
            "removing {place}"
        );
        let again = Acl::builder().build(acl.patterns());
        assert_eq!(
            again == acl,
            self.auth_id.or(self.session_uuid).is_none() && !self.is_old
        );
    }

    fn allows(&self, access: &str) -> bool {
        let (mut is_allowed, mut is_forbidden) = (false, false);
        for pattern in self.patterns {
            match pattern.strip_prefix('!') {
                Some(rest) if !self.is_old => is_forbidden |= self.matches(rest, access),
                _ => is_allowed |= self.matches(pattern, access),
            }
        }
        is_allowed && !is_forbidden
    }

    fn matches(&self, pattern: &str, access: &str) -> bool {
        let steps = self.steps(pattern);
        let whole: Vec<char> = access.chars().collect();
        let is_whole = fits(&steps, &whole);
        match whole.split_last() {
            Some(('\n', front)) => is_whole || fits(&steps, front),
            _ => is_whole,
        }
    }

    fn steps(&self, pattern: &str) -> Vec<Step> {
        let segments: Vec<&str> = pattern.split('.').collect();
        let mut steps = Vec::new();
        for (index, segment) in segments.iter().enumerate() {
            if index > 0 {
                steps.push(Step::One('.'));
            }
            let id = |id: Option<&str>| id.map(|id| (id.chars().collect(), true));
            let other = match *segment {
                "me" if !self.is_old || index > 0 => id(self.auth_id),
                "my_session" if !self.is_old => id(self.session_uuid),
                "edit" if !self.is_old => Some(("update".chars().collect(), false)),
                _ => None,
            };
            if let Some((other, dot_is_any)) = other {
                steps.push(Step::Either(segment.chars().collect(), other, dot_is_any));
                continue;
            }
            steps.extend(segment.chars().map(|c| match c {
                '*' if self.is_old => Step::Many(&['.']),
                '*' => Step::Many(&['.', '#']),
                '#' => Step::Many(&['\n']),
                c => Step::One(c),
            }));
        }
        steps
    }
}

enum Step {
    One(char),
    /// Any number of characters but these.
    Many(&'static [char]),
    /// Either text; whether a dot in the second is any character but a newline.
    Either(Vec<char>, Vec<char>, bool),
}

/// Returns whether steps fit a whole text, from a table of what the last steps fit.
fn fits(steps: &[Step], text: &[char]) -> bool {
    let mut below = vec![false; text.len() + 1];
    below[text.len()] = true;
    for step in steps.iter().rev() {
        let mut row = vec![false; text.len() + 1];
        for at in (0..=text.len()).rev() {
            row[at] = match step {
                Step::One(c) => text.get(at) == Some(c) && below[at + 1],
                Step::Many(but) => {
                    let is_longer = text.get(at).is_some_and(|c| !but.contains(c));
                    below[at] || (is_longer && row[at + 1])
                }
                Step::Either(word, other, dot_is_any) => {
                    let begins = |part: &[char], dot_is_any: bool| {
                        at + part.len() <= text.len()
                            && below[at + part.len()]
                            && part
                                .iter()
                                .zip(&text[at..])
                                .all(|(a, b)| a == b || (dot_is_any && *a == '.' && *b != '\n'))
                    };
                    begins(word, false) || begins(other, *dot_is_any)
                }
            };
        }
        below = row;
    }
    below[0]
}
