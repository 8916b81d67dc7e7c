//! Programs that we start, and end again.

use std::{
    env,
    fs::File,
    net::{Ipv4Addr, TcpListener},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};

/// A program with everything it starts, ended when dropped.
#[derive(Debug)]
pub struct Process(Child);

impl Process {
    /// Starts `program` as the head of a process group of its own; what it prints goes to `log`.
    pub fn start(program: &Path, arguments: &[String], log: &Path) -> Self {
        let log = File::create(log).unwrap_or_else(|error| panic!("cannot write {}: {error}", log.display()));
        let same_log = log.try_clone().expect("a file handle can be cloned");
        let child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(same_log)
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {}: {error}", program.display()));
        Self(child)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The group and not the process alone: a driver that is ended leaves its browser behind.
        let group = Pid::from_raw(self.0.id().cast_signed());
        let _ = killpg(group, Signal::SIGTERM);
        let asked = Instant::now();
        while asked.elapsed() < Duration::from_secs(5) && matches!(self.0.try_wait(), Ok(None)) {
            sleep(Duration::from_millis(20));
        }
        let _ = killpg(group, Signal::SIGKILL);
        let _ = self.0.wait();
    }
}

/// The first of `names` that is installed: among our own tools or on the `PATH`.
pub fn find_program(names: &[&str]) -> PathBuf {
    let ours = repository().join("target/tools/bin");
    let path = env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = [ours].into_iter().chain(env::split_paths(&path)).collect();
    let candidates = names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    candidates.into_iter().find(|path| path.is_file()).unwrap_or_else(|| {
        panic!("{} is not installed. `./build.sh test` installs what the tests need.", names.join(" or "))
    })
}

/// A port on loopback that nobody uses at the moment.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
    listener.local_addr().expect("a bound listener has an address").port()
}

/// The folder of the whole repository.
pub fn repository() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("the crate lies in tests/end-to-end").to_owned()
}

/// Where scenarios leave pictures and logs.
pub fn output_folder() -> PathBuf {
    let folder = repository().join("target/end-to-end");
    std::fs::create_dir_all(&folder).expect("target/ can be written to");
    folder
}
