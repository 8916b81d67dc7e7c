#!/usr/bin/env bash
# Builds, shows, tests and measures the extension. Needs Rust (rustup), Node with npm, and git; the rest it installs
# when missing. `./build.sh help` lists what it can do.

set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$root"

# Tools that we compile ourselves, and everything else that is made, stay below target/. The second build of the
# reproducibility test borrows these tools and nothing else.
tools=${PACKED_TRUNK_TOOLS:-$root/target/tools}
target=${CARGO_TARGET_DIR:-$root/target}
export PATH="$tools/bin:$root/node_modules/.bin:$PATH"

GECKODRIVER_VERSION=0.37.1
WASM_TARGET=wasm32-unknown-unknown

# What rustc and wasm-bindgen really use. Not --all-features: with it wasm-opt writes a newer import section, which
# Chromium refuses.
WASM_FEATURES=(
    --enable-bulk-memory
    --enable-multivalue
    --enable-mutable-globals
    --enable-nontrapping-float-to-int
    --enable-reference-types
    --enable-sign-ext
)

usage() {
    cat <<'END'
./build.sh [build] [--quick]                       build into dist/; --quick leaves out what makes it small
./build.sh test [--native | --browser NAME]        run every test, or only those that need no browser, or one browser
./build.sh demo [--browser NAME] [--headless]      build, then show a whole move between two small servers of our own;
                                                   --pictures walks through and renews those of docs/
./build.sh bench [--quick]                         measure against the budgets, into target/bench/report.json;
                                                   --quick leaves out the large save in the browsers
./build.sh clean                                   remove dist/ and what was compiled, keep the tools

NAME is firefox or chromium.
END
}

main() {
    local command=${1:-build}
    [ $# -eq 0 ] || shift
    case "$command" in
        build) build "$@" ;;
        test) test_all "$@" ;;
        demo) demo "$@" ;;
        bench) bench "$@" ;;
        clean) clean ;;
        help | -h | --help) usage ;;
        *) usage >&2; exit 2 ;;
    esac
}

say() { printf '\033[1m%s\033[0m\n' "$*" >&2; }
die() { printf '%s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# ---------------------------------------------------------------------------------------------------------- build

build() {
    local quick=${PACKED_TRUNK_QUICK:-}
    [ "${1:-}" != --quick ] || quick=yes
    need_build_tools
    mkdir -p "$target"
    # Two builds at once in one folder would tear each other's dist/ apart.
    if have flock && [ -z "${PACKED_TRUNK_LOCKED:-}" ]; then
        PACKED_TRUNK_LOCKED=1 PACKED_TRUNK_QUICK=$quick flock "$target/.build-lock" "$root/build.sh" build
        return
    fi

    local version
    version=$(version_of_everything)
    compile
    assemble "$version"
    say "dist/: version $version, $(wc -c <"dist/packed-trunk-$version-chrome.zip") bytes packed"
}

# Two modules of one crate: one for the servers' pages and the background, one for our own page.
compile() {
    rm -rf "$target/glue"
    compile_module guard packed_trunk
    compile_module desk packed_trunk_desk
}

compile_module() {
    local feature=$1 name=$2 glue=$target/glue profile=release incremental=0
    if [ -n "${quick:-}" ]; then profile=quick incremental=1; fi
    # Paths would otherwise be in panic messages, and the same source give other bytes in another folder.
    # The standard library's are /rustc/COMMIT, unless its source is installed (rust-src): then they are the source's.
    local cargo_home=${CARGO_HOME:-$HOME/.cargo} flags separator=$'\x1f' sysroot commit
    sysroot=$(rustc --print sysroot)
    commit=$(rustc -vV | sed -n 's/^commit-hash: //p')
    flags="--remap-path-prefix=$sysroot=/rust"
    flags+="${separator}--remap-path-prefix=$sysroot/lib/rustlib/src/rust=/rustc/$commit"
    flags+="${separator}--remap-path-prefix=$cargo_home=/cargo"
    flags+="${separator}--remap-path-prefix=$root=/packed-trunk"
    CARGO_ENCODED_RUSTFLAGS=$flags CARGO_INCREMENTAL=$incremental \
        cargo build --profile "$profile" --target "$WASM_TARGET" --locked -p packed-trunk --lib --features "$feature"

    # The bytes of the module come by message, never from an address: so no default path, which would be one.
    wasm-bindgen --target no-modules --omit-default-module-path --no-typescript \
        --remove-producers-section --remove-name-section \
        --out-name "$name" --out-dir "$glue" \
        "$target/$WASM_TARGET/$profile/packed_trunk.wasm"
    [ -n "${quick:-}" ] || wasm-opt -Oz "${WASM_FEATURES[@]}" "$glue/${name}_bg.wasm" -o "$glue/optimised.wasm"
    [ -n "${quick:-}" ] || mv "$glue/optimised.wasm" "$glue/${name}_bg.wasm"
    node tests/build/wrap.mjs "$glue/$name.js" >"$glue/wrapped.js"
    mv "$glue/wrapped.js" "$glue/$name.js"
}

# One folder for each browser, although they are the same today: the manifest has no key that one of them refuses.
assemble() {
    local version=$1 new=$target/dist browser script
    rm -rf "$new"
    for browser in chrome firefox; do
        mkdir -p "$new/$browser"
        cp manifest.json "$new/$browser/"
        cp -R extension/. "$new/$browser/"
        cp "$target"/glue/* "$new/$browser/"
        for script in "$new/$browser"/*.js; do minify "$script"; done
        [ "$(wc -c <"$new/$browser/loader.js")" -le 4096 ] || die "extension/loader.js is over its 4,096 bytes."
        (cd "$new/$browser" && find . -type f -print0) | sed -z 's|^\./||' |
            node tests/build/pack.mjs "$new/packed-trunk-$version-$browser.zip" "$new/$browser"
    done
    sources | node tests/build/pack.mjs "$new/packed-trunk-$version-source.zip" .
    (cd "$new" && checksums "packed-trunk-$version"-*.zip >SHA256SUMS)
    rm -rf dist
    mv "$new" dist
}

# The loader is read on every preferences page, and its budget is for what is shipped; the glue is as large as a picture.
minify() { terser "$1" --ecma 2022 --compress --mangle --output "$1"; }

# Every file that belongs to the source, tracked or not yet, each ended by a NUL byte.
sources() {
    git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
        if [ -f "$file" ]; then printf '%s\0' "$file"; fi
    done
}

checksums() {
    if have sha256sum; then sha256sum "$@"; else shasum -a 256 "$@"; fi
}

# The version in Cargo.toml and in the manifest, which must be the same one.
version_of_everything() {
    node -e '
        const { readFileSync } = require("node:fs");
        const cargo = /^version = "(.*)"/m.exec(readFileSync("Cargo.toml", "utf8"))[1];
        const manifest = JSON.parse(readFileSync("manifest.json", "utf8")).version;
        if (cargo !== manifest) {
            console.error(`Cargo.toml says version ${cargo}, manifest.json ${manifest}: make them the same.`);
            process.exit(1);
        }
        console.log(cargo);'
}

clean() {
    rm -rf dist
    # Everything but the tools, which take minutes to compile.
    find "$target" -mindepth 1 -maxdepth 1 ! -path "$tools" -exec rm -rf {} +
}

# ---------------------------------------------------------------------------------------------- what must be there

need_build_tools() {
    have git || die "git is missing: install git."
    have cargo || die "Rust is missing: install it with rustup."
    have node || die "Node is missing: install Node 20 or newer."
    need_wasm_target
    need_npm_packages
    need_wasm_bindgen
}

need_wasm_target() {
    [ -d "$(rustc --print sysroot)/lib/rustlib/$WASM_TARGET" ] && return
    have rustup || die "The Rust target $WASM_TARGET is missing, and rustup with it: install Rust with rustup."
    say "Adding the Rust target $WASM_TARGET"
    rustup target add "$WASM_TARGET"
}

need_npm_packages() {
    # npm writes this file last, so it is newer than the lock file exactly when the packages are those of the lock.
    [ node_modules/.package-lock.json -nt package-lock.json ] && return
    # A copy of this folder made for a test borrows the packages.
    [ -L node_modules ] && return
    have npm || die "npm is missing: install it (it comes with Node)."
    say "Installing the npm packages of package-lock.json"
    npm ci --no-audit --no-fund >&2
    touch node_modules/.package-lock.json
}

# The CLI must be exactly of the version of the library: they speak a format that changes with each release.
need_wasm_bindgen() {
    local version
    version=$(awk '$0 == "name = \"wasm-bindgen\"" { getline; gsub(/[^0-9.]/, ""); print }' Cargo.lock)
    [ -n "$version" ] || die "Cargo.lock has no wasm-bindgen."
    if have wasm-bindgen && [ "$(wasm-bindgen --version)" = "wasm-bindgen $version" ]; then return; fi
    say "Installing wasm-bindgen-cli $version into target/tools (about three minutes, once)"
    # Without --locked: one of the versions it pins has been withdrawn.
    cargo_install wasm-bindgen-cli "$version"
}

cargo_install() {
    env -u CARGO_TARGET_DIR -u CARGO_ENCODED_RUSTFLAGS cargo install "$1" --version "$2" --root "$tools" --force >&2
}

need_browser() {
    case "$1" in
        chromium)
            have chromium && have chromedriver || need_debian_packages chromium chromium-driver
            ;;
        firefox)
            have firefox || have firefox-esr || need_debian_packages firefox-esr
            if ! have geckodriver; then
                say "Installing geckodriver $GECKODRIVER_VERSION into target/tools (about two minutes, once)"
                cargo_install geckodriver "$GECKODRIVER_VERSION"
            fi
            ;;
        *) die "No such browser: $1 (firefox or chromium)." ;;
    esac
}

need_debian_packages() {
    local as_root=()
    have apt-get || die "Missing: $*. Install them with your system's package manager."
    if [ "$(id -u)" -ne 0 ]; then
        { have sudo && sudo -n true 2>/dev/null; } || die "Missing: $*. Install them: sudo apt-get install $*"
        as_root=(sudo -n)
    fi
    say "Installing $*"
    {
        "${as_root[@]}" apt-get update -q &&
            DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -q -y --no-install-recommends "$@"
    } >&2 || die "Missing: $*. They could not be installed: run apt-get install $* and look at what it says."
}

# ----------------------------------------------------------------------------------------------------------- test

# Each module alone as it is shipped, and both at once, where code that neither uses shows.
clippy_for_wasm() {
    local features
    for features in guard desk guard,desk; do
        cargo clippy --target "$WASM_TARGET" --locked -p packed-trunk --lib --features "$features" -- -D warnings
    done
}

# Stages run one after another and all of them, so that one run shows everything that is wrong.
stage_names=() stage_results=() stage_times=() stage_counts=()
failed_stages=0
runner_line=""

test_all() {
    local native=yes browsers=(chromium firefox)
    while [ $# -gt 0 ]; do
        case "$1" in
            --native) browsers=() ;;
            --browser) native=no browsers=("${2:?--browser needs firefox or chromium}"); shift ;;
            *) usage >&2; exit 2 ;;
        esac
        shift
    done
    local browser
    for browser in ${browsers[@]+"${browsers[@]}"}; do need_browser "$browser"; done
    need_build_tools

    if [ "$native" = yes ]; then
        stage "format" cargo fmt --all --check
        stage "clippy" cargo clippy --workspace --all-targets --locked -- -D warnings
        stage "clippy for wasm" clippy_for_wasm
        stage "native tests" native_tests
    fi
    # The extension itself is needed from here on; without it the rest could only fail for the same reason.
    stage "build" build
    if [ "${stage_results[${#stage_results[@]} - 1]}" = ok ]; then
        if [ "$native" = yes ]; then
            stage "add-on linter" lint_extension
            stage "same bytes elsewhere" build_again_elsewhere
        fi
        for browser in ${browsers[@]+"${browsers[@]}"}; do
            stage "end to end, $browser" end_to_end_tests "$browser"
        done
    fi
    summary
}

stage() {
    local name=$1 started=$SECONDS log
    shift
    say "== $name"
    mkdir -p "$target/log"
    log=$target/log/${name//[ ,]/_}.txt
    # A function called in a condition runs without `set -e`, hence the shell of its own.
    local result=ok
    set +e
    (set -e; "$@") 2>&1 | tee "$log"
    [ "${PIPESTATUS[0]}" -eq 0 ] || result=FAILED
    set -e
    local line count
    count=$(awk '/^test result: / { passed += $4; failed += $6 } END { if (NR) printf "%d passed, %d failed", passed, failed }' "$log")
    [ "$count" != "0 passed, 0 failed" ] || count=""
    line=$(grep '^test result: ' "$log" | tail -n 1 || true)
    if [ "$result" = FAILED ]; then
        failed_stages=$((failed_stages + 1))
        line=$(grep -m 1 '^test result: FAILED' "$log" || true)
    fi
    # The line kept for the end is the last one, or the first that tells of a failure.
    if [ -n "$line" ] && [[ $runner_line != *FAILED* ]]; then runner_line=$line; fi
    stage_names+=("$name") stage_results+=("$result") stage_times+=($((SECONDS - started))) stage_counts+=("$count")
}

summary() {
    local i
    printf '\n'
    for i in "${!stage_names[@]}"; do
        printf '%-28s %-8s %4d s   %s\n' \
            "${stage_names[$i]}" "${stage_results[$i]}" "${stage_times[$i]}" "${stage_counts[$i]}"
    done
    [ -z "$runner_line" ] || printf '%s\n' "$runner_line"
    [ "$failed_stages" -eq 0 ]
}

lint_extension() {
    web-ext lint --source-dir dist/firefox --output json --no-config-discovery >"$target/lint.json" || true
    node -e '
        const { errors, warnings } = JSON.parse(require("node:fs").readFileSync(process.argv[1], "utf8"));
        for (const { _type, code, file, line, message } of [...errors, ...warnings])
            console.log(`${_type} ${code} ${file ?? ""}:${line ?? ""} ${message}`);
        console.log(`${errors.length} errors, ${warnings.length} warnings`);
        process.exit(errors.length + warnings.length ? 1 : 0);' "$target/lint.json"
}

# Builds a copy of the source in a folder of another name and length: every byte must come out the same.
build_again_elsewhere() {
    local copy=$target/repro/a-folder-of-quite-another-name
    rm -rf "$target/repro"
    mkdir -p "$copy"
    sources | tar --null --files-from=- -cf - | tar -xf - -C "$copy"
    git init -q "$copy"
    ln -s "$root/node_modules" "$copy/node_modules"
    env -u CARGO_TARGET_DIR -u PACKED_TRUNK_LOCKED PACKED_TRUNK_TOOLS="$tools" "$copy/build.sh" build
    diff dist/SHA256SUMS "$copy/dist/SHA256SUMS"
    printf 'The same checksums in both folders:\n'
    cat dist/SHA256SUMS
    rm -rf "$target/repro"
}

native_tests() {
    cargo test --workspace --locked --no-fail-fast --exclude end-to-end
    cargo test --locked -p end-to-end --lib
}

# The name of every scenario ends with the browser it runs in. Two at once is what two cores bear.
end_to_end_tests() {
    cargo test --locked -p end-to-end --no-fail-fast --test '*' -- --test-threads "${PACKED_TRUNK_BROWSERS_AT_ONCE:-2}" "$1"
}

# ------------------------------------------------------------------------------------------------- demo and bench

demo() {
    local browser browsers=()
    local argument
    for argument in "$@"; do
        case "$argument" in firefox | chromium) browsers+=("$argument") ;; esac
    done
    if [ ${#browsers[@]} -eq 0 ]; then browsers=(firefox chromium); fi
    for browser in "${browsers[@]}"; do need_browser "$browser"; done
    build
    cargo run --quiet --locked -p end-to-end --bin demo -- "$@"
}

bench() {
    need_browser chromium
    need_browser firefox
    build
    # What is measured against another library in a page of its own. Beside what is shipped, never in it.
    local shipped=$target/glue
    mv "$shipped" "$target/glue.shipped"
    compile_module measure measure
    rm -rf "$target/measure"
    mv "$target/glue" "$target/measure"
    mv "$target/glue.shipped" "$shipped"
    cargo run --quiet --locked -p end-to-end --bin bench -- "$@"
}

main "$@"
