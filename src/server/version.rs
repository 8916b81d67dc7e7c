//! A server's version, and what follows from it.

/// `4.3.1+glitch`: the numbers to compare, the whole text to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    pub major: u16,
    pub minor: u16,
    pub text: String,
}

impl Version {
    /// Reads `4.5.3`, `4.8.0-alpha.1`, `4.5.0+hometown-1.1.2` (facts 2.1).
    pub fn parse(text: &str) -> Option<Version> {
        let mut numbers = text.split(['.', '-', '+']);
        let major = numbers.next()?.trim_start_matches('v').parse().ok()?;
        let minor = numbers.next()?.parse().ok()?;
        let text: String = text.chars().take(60).collect();
        Some(Version { major, minor, text })
    }

    pub fn at_least(&self, major: u16, minor: u16) -> bool {
        (self.major, self.minor) >= (major, minor)
    }

    /// Until 3.5 a server kept its copy of another server's account for a day, and looked at that when asked to move
    /// (facts 3.3; fixed in 4.0.0).
    pub fn keeps_accounts_for_a_day(&self) -> bool {
        !self.at_least(4, 0)
    }

    /// After how many days an account whose e-mail was never confirmed is deleted (facts 1.7, last lines).
    pub fn days_until_unconfirmed_is_deleted(&self) -> i64 {
        if self.at_least(4, 3) { 7 } else { 2 }
    }

    /// `GET /api/v1/emails/check_confirmation` (facts 7).
    pub fn answers_check_confirmation(&self) -> bool {
        self.at_least(4, 2)
    }

    /// How long a display name may be (facts 13.2).
    pub fn longest_name(&self) -> usize {
        if self.at_least(4, 6) { 40 } else { 30 }
    }

    /// `/api/v2/instance` (facts 7).
    pub fn has_second_instance(&self) -> bool {
        self.at_least(4, 0)
    }

    /// `DELETE /api/v1/profile/avatar` and `…/header`; before, the profile's page does it (mastodon#25124).
    pub fn removes_pictures_by_api(&self) -> bool {
        self.at_least(4, 2)
    }

    /// `tootctl accounts migrate` can replay a move since 4.1 (facts 3.6).
    pub fn can_replay_moves(&self) -> bool {
        self.at_least(4, 1)
    }

    /// Followed hashtags are there since 4.0 (facts 7).
    pub fn has_followed_tags(&self) -> bool {
        self.at_least(4, 0)
    }

    /// A file of filters goes out and comes in since 4.6 (facts 5, 6.1).
    pub fn has_filter_files(&self) -> bool {
        self.at_least(4, 6)
    }

    /// `/api/v2/filters`: before 4.0 there was only the first form of it (facts 7).
    pub fn has_second_filters(&self) -> bool {
        self.at_least(4, 0)
    }

    /// Filters can blur media since 4.4; an older server refuses one that does.
    pub fn can_blur(&self) -> bool {
        self.at_least(4, 4)
    }

    /// An import is uploaded, looked at and then confirmed since 4.2, and tells how it goes and what failed; before, the
    /// upload was all, and its result could not be seen (facts 6.1, 6.2).
    pub fn imports_in_two_steps(&self) -> bool {
        self.at_least(4, 2)
    }

    /// The names of columns are understood since 4.2 (facts 6.1, "header detection").
    pub fn reads_headers(&self) -> bool {
        self.at_least(4, 2)
    }

    /// Files of lists are imported since 4.2 (facts 6.1).
    pub fn imports_lists(&self) -> bool {
        self.at_least(4, 2)
    }

    /// Notifications and languages of a follow are written and read since 4.0 (facts 5, 6.2).
    pub fn has_four_columns(&self) -> bool {
        self.at_least(4, 0)
    }

    /// A list can keep its members out of the home timeline since 4.2.
    pub fn has_exclusive_lists(&self) -> bool {
        self.at_least(4, 2)
    }

    /// The newer of the two addresses at which somebody is featured on a profile, since 4.4.
    pub fn endorses(&self) -> bool {
        self.at_least(4, 4)
    }

    /// "Privacy and reach" is a page of its own since 4.2, and the lock stands on it (facts 1.3).
    pub fn has_privacy_page(&self) -> bool {
        self.at_least(4, 2)
    }

    /// Notifications of strangers wait apart since 4.3, and are told of only when asked for (facts 13.1).
    pub fn keeps_strangers_apart(&self) -> bool {
        self.at_least(4, 3)
    }

    /// Days that have to pass before an archive can be asked for again (facts 5, "Archive").
    pub fn days_between_archives(&self) -> i64 {
        if self.at_least(4, 3) { 6 } else { 7 }
    }

    /// A server can be closed for good since 4.3: almost everything answers 410 then (facts 1.7).
    pub fn can_close_for_good(&self) -> bool {
        self.at_least(4, 3)
    }

    /// Old posts can be deleted by and by from an account that has moved since 4.1 (facts 1.7).
    pub fn clears_up_after_moving(&self) -> bool {
        self.at_least(4, 1)
    }
}

#[cfg(test)]
mod tests {
    use super::Version;

    #[test]
    fn reads_the_versions_that_are_out_there() {
        let cases = [
            ("4.5.3", Some((4, 5))),
            ("4.8.0-alpha.1", Some((4, 8))),
            ("4.3.1+glitch", Some((4, 3))),
            ("4.5.0+hometown-1.1.2", Some((4, 5))),
            ("3.5.19", Some((3, 5))),
            ("v4.2", Some((4, 2))),
            ("glitch", None),
            ("", None),
            ("99999999.1", None),
        ];
        for (text, expected) in cases {
            assert_eq!(Version::parse(text).map(|v| (v.major, v.minor)), expected, "{text}");
        }
    }
}
