//! How guard and desk look: the rules of accessibility, light and dark, on a telephone and with large letters.

use end_to_end::{Browser, Options, Panel, Servers, Side, Violation, in_both_browsers};

/// Nothing of a panel is wider than the panel, and the panel is no wider than the page.
fn assert_fits(browser: &Browser, panel: &Panel<'_>, what: &str) {
    let cut = panel.run(
        // A file field crops the file's name by itself, and says in Firefox that there would be more of it.
        "const outer = (root.host ?? root).getBoundingClientRect();
         // Heads of tables that only a screen reader meets are clipped on purpose.
         const style = e => getComputedStyle(e);
         const crops = e => style(e).overflowX !== 'visible' && style(e).clipPath === 'none' && e.type !== 'file';
         const wide = Array.from(root.querySelectorAll('*')).filter(e => e.checkVisibility()).filter(e => {
             const box = e.getBoundingClientRect();
             return box.width > 0 && (box.right > Math.ceil(outer.right) || e.scrollWidth > e.clientWidth + 1 && crops(e));
         });
         // One letter a line fits as well, but nobody can read it.
         wide.push(...Array.from(root.querySelectorAll('dd, p')).filter(e => {
             const box = e.getBoundingClientRect();
             return box.width > 0 && box.width < 100 && box.height > 3 * box.width;
         }));
         return [outer.right <= innerWidth, wide.map(e => `${e.tagName}.${e.className}`)];",
    );
    assert_eq!(cut, serde_json::json!([true, []]), "{what} is cut off in {}", browser.kind().name());
}

/// Walks through what there is to see, and looks at each.
fn look_everywhere(browser: &Browser) {
    let servers = Servers::start();
    let mut found: Vec<(&str, Violation)> = Vec::new();
    let mut look = |panel: &Panel<'_>, what: &'static str| {
        // Also what is folded away.
        panel.run("root.querySelectorAll('details').forEach(details => { details.open = true; });");
        assert_fits(browser, panel, what);
        found.extend(panel.axe().into_iter().map(|violation| (what, violation)));
    };
    look(&browser.desk(), "the desk at the start");
    servers.link(browser, "ana", "ana");
    browser.switch_to(&browser.first_tab());
    servers.enter(browser, Side::New, "ana_new", "/auth/setup");
    browser.guard().settled();
    look(&browser.guard(), "the setup page");
    servers.enter(browser, Side::New, "ana", "/settings/aliases");
    browser.guard().wait_for_outcome("alias", "stop");
    browser.guard().settled();
    look(&browser.guard(), "the alias page");
    servers.enter_in_tab(browser, Side::Old, "ana", "/settings/migration");
    browser.guard().wait_for_outcome("messages-saved", "stop");
    browser.guard().settled();
    browser.submit_move("wrong");
    browser.guard().element("[role=alertdialog]");
    look(&browser.guard(), "the migration page");
    let desk = browser.desk();
    desk.wait_for_outcome("messages-saved", "stop");
    desk.settled();
    look(&desk, "the desk of a move");
    assert_eq!(found, Vec::new());
}

in_both_browsers! {
    fn keeps_the_rules_in_the_light_with_large_letters(browser with Options { zoomed: true, ..Options::default() }) {
        look_everywhere(browser);
    }

    fn keeps_the_rules_in_the_dark_on_a_telephone(browser with Options { dark: true, width: 320, ..Options::default() }) {
        look_everywhere(browser);
    }
}
