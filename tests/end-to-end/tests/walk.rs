//! The whole move from the installation to the arrivals, by what a person would click, and in how many actions.

// Giving up with a message is how a test says what is wrong.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use end_to_end::{Servers, in_both_browsers, output_folder, report::Walk, tour};

in_both_browsers! {
    fn a_whole_move_in_few_actions(browser) {
        let servers = Servers::start();
        let mut walk = Walk::new(browser, &output_folder().join(format!("walk-{}", browser.kind().name())));
        tour::walk(&mut walk, &servers);
        let (report, well) = walk.finish();
        assert!(well, "{report:#}");
        browser.assert_quiet();
    }
}
