//! Runs the pair until interrupted.

use stand_in::{Options, Version};

const HELP: &str = "stand-in [--old-port N] [--new-port N] [--old-version V] [--new-version V] [--version V] [--media-port N]

Two servers that behave like Mastodon, for the demo and the tests of Packed Trunk.
Versions: 3.5 4.1 4.2 4.3 4.5 4.6 4.7. Ports: 4001 and 4002 unless told.
With --media-port uploaded files live on a third origin, http://cdn.localhost:N.";

fn parse(arguments: impl Iterator<Item = String>) -> Result<Option<Options>, String> {
    let mut options = Options { old_port: 4001, new_port: 4002, ..Options::default() };
    let mut arguments = arguments;
    while let Some(argument) = arguments.next() {
        if argument == "--help" || argument == "-h" {
            return Ok(None);
        }
        let (name, value) = match argument.split_once('=') {
            Some((name, value)) => (name.to_owned(), value.to_owned()),
            None => (argument.clone(), arguments.next().ok_or_else(|| format!("{argument} needs a value"))?),
        };
        let port = || value.parse::<u16>().map_err(|_| format!("{value} is not a port"));
        let version = || value.parse::<Version>();
        match name.as_str() {
            "--old-port" => options.old_port = port()?,
            "--new-port" => options.new_port = port()?,
            "--media-port" => (options.media_host, options.media_port) = (true, port()?),
            "--old-version" => options.old_version = version()?,
            "--new-version" => options.new_version = version()?,
            "--version" => (options.old_version, options.new_version) = (version()?, version()?),
            _ => return Err(format!("{name}: unknown option")),
        }
    }
    Ok(Some(options))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Some(options) = parse(std::env::args().skip(1))? else {
        println!("{HELP}");
        return Ok(());
    };
    let pair = stand_in::start(options).await?;
    println!("old: {} (Mastodon {})", pair.old.origin(), options.old_version);
    println!("new: {} (Mastodon {})", pair.new.origin(), options.new_version);
    if let Some(media) = &pair.media {
        println!("media: {}", media.origin());
    }
    println!("everybody's password: {}", stand_in::PASSWORD);
    tokio::signal::ctrl_c().await?;
    Ok(())
}
