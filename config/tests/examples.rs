//! The example configurations, and what is drawn of the declarations.

mod modules;

use std::path::Path;

use config::{Config, Loaded, Mechanism, Setting, Shape, TlsMode, load_str, render_full};
use modules::Modules;

fn read(text: &str) -> Loaded<Modules> {
    load_str(text, Path::new("mungo.ron")).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn what_is_drawn_in_full_reads_as_the_defaults() {
    let loaded = read(&render_full::<Modules>());
    assert_eq!(loaded.config, Config::default());
    assert_eq!(loaded.warnings, []);
}

#[test]
fn nothing_is_the_defaults_too() {
    assert_eq!(read("()").config, Config::default());
}

#[test]
fn the_defaults_serve_localhost_on_loopback() {
    let config = Config::<Modules>::default();
    assert_eq!(config.domains[0].name, "localhost");
    let listeners: Vec<String> = config
        .listeners
        .iter()
        .map(|listener| {
            format!(
                "{} {} {}",
                listener.kind,
                listener.socket_addr(),
                listener.tls()
            )
        })
        .collect();
    assert_eq!(
        listeners,
        [
            "c2s 127.0.0.1:5222 required",
            "c2s 127.0.0.1:5223 direct",
            "admin 127.0.0.1:5551 off"
        ]
    );
}

#[test]
fn the_minimal_example_is_fine() {
    let Loaded { config, warnings } = read(include_str!("../examples/minimal.ron"));
    assert_eq!(warnings, []);
    assert_eq!(config.domains[0].name, "example.org");
    let listeners: Vec<_> = config
        .listeners
        .iter()
        .map(|l| (l.port(), l.tls(), l.address.is_loopback()))
        .collect();
    assert_eq!(
        listeners,
        [
            (5222, TlsMode::Required, false),
            (5223, TlsMode::Direct, false),
            (5551, TlsMode::Off, true)
        ]
    );
    assert!(config.modules.ping.enabled);
    assert!(!config.modules.version.enabled);
}

#[test]
fn the_cluster_examples_are_fine_and_so_are_their_other_nodes() {
    let folder = tempfile::tempdir().unwrap();
    let examples = [
        (include_str!("../examples/cluster-seeds.ron"), "127.0.0.2"),
        (include_str!("../examples/cluster-dns.ron"), "::1"),
        (
            include_str!("../examples/cluster-database.ron"),
            "127.0.0.2",
        ),
    ];
    for (text, other) in examples {
        // What the comment tells to do with sed.
        let in_brackets = if other.contains(':') {
            format!("[{other}]")
        } else {
            other.to_owned()
        };
        let second: String = text
            .lines()
            .map(|line| match line.contains("seeds") {
                true => format!("{line}\n"),
                false => {
                    let line = line.replacen("127.0.0.1:", &format!("{in_brackets}:"), 1);
                    format!("{}\n", line.replacen("127.0.0.1", other, 1))
                }
            })
            .collect();
        let [first, second] = [text, &second].map(|text| {
            let file = folder.path().join("cluster.ron");
            let loaded = load_str::<Modules>(text, &file);
            let Loaded { config, warnings } = loaded.unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(warnings, []);
            config
        });
        assert_eq!(first.store.file(), second.store.file());
        let (first_cluster, second_cluster) = (first.cluster.unwrap(), second.cluster.unwrap());
        assert_eq!(first_cluster.listen.to_string(), "127.0.0.1:25269");
        assert_eq!(
            second_cluster.listen.to_string(),
            format!("{in_brackets}:25269")
        );
        assert_eq!(first_cluster.seeds, second_cluster.seeds);
        for listener in second.listeners {
            assert_eq!(listener.address.to_string(), other);
        }
    }
}

#[test]
fn a_file_changes_what_it_names_and_nothing_else() {
    let config = read(
        r#"(
            auth: (mechanisms: ["PLAIN"], failed_logins: (free: 9)),
            stream: (idle_timeout: None),
            modules: (ping: (interval: "10m")),
        )"#,
    )
    .config;
    let default = Config::<Modules>::default();
    assert_eq!(config.auth.mechanisms, [Mechanism::Plain]);
    assert_eq!(config.auth.iterations, default.auth.iterations);
    assert_eq!(config.auth.failed_logins.free, 9);
    assert_eq!(
        config.auth.failed_logins.max_delay,
        default.auth.failed_logins.max_delay
    );
    assert_eq!(config.stream.idle_timeout, None);
    assert_eq!(
        config.modules.ping.settings.interval.unwrap().to_string(),
        "10m"
    );
    assert_eq!(
        config.modules.ping.settings.timeout,
        default.modules.ping.settings.timeout
    );
    assert_eq!(config.listeners, default.listeners);
}

#[test]
fn what_is_off_by_default_runs_once_it_is_named() {
    let default = read("()").config.modules;
    assert!(!default.echo.enabled && !default.mute.enabled);
    let named = read("(modules: (echo: (), mute: ()))").config.modules;
    assert!(named.echo.enabled && named.mute.enabled);
    assert_eq!(named.echo.settings.times, 1);
    let loud = read("(modules: (echo: (times: 3)))").config.modules;
    assert!(loud.echo.enabled && !loud.mute.enabled);
    assert_eq!(loud.echo.settings.times, 3);
    let off = read("(modules: (echo: off))").config.modules;
    assert!(!off.echo.enabled);
}

#[test]
fn what_is_off_is_drawn_with_its_keys_as_comments() {
    let drawn = render_full::<Modules>();
    let wanted = r"
        // Sends back what comes.
        // Written otherwise, it is there:
        // echo: (
        //     // So often.
        //     times: 1,
        //     // As loud.
        //     volume: 11,
        // ),
        echo: off,
        // Keeps silent.
        // Written otherwise, it is there:
        // mute: (),
        mute: off,
";
    assert!(drawn.contains(wanted), "{drawn}");
}

/// Every key without a comment of its own or of its section.
fn silent_keys(path: &str, shape: &Shape) -> Vec<String> {
    match shape {
        Shape::Value { .. } => Vec::new(),
        Shape::List { blank, .. } | Shape::Map { blank, .. } => silent_keys(path, blank),
        Shape::Section(section) => section
            .keys
            .iter()
            .flat_map(|key| {
                let path = format!("{path}{}", key.name);
                let own = match &key.shape {
                    Shape::Section(inside) if key.doc.is_empty() => &inside.doc,
                    _ => &key.doc,
                };
                let mut silent = silent_keys(&format!("{path}."), &key.shape);
                silent.extend(own.is_empty().then_some(path));
                silent
            })
            .collect(),
    }
}

#[test]
fn every_key_has_a_comment() {
    assert_eq!(
        silent_keys("", &Config::<Modules>::blank()),
        Vec::<String>::new()
    );
}

#[test]
fn broken_text_is_an_error_with_a_place_and_never_a_panic() {
    let full = render_full::<Modules>();
    let starts: Vec<usize> = full.char_indices().map(|(index, _)| index).collect();
    let short = load_str::<Modules>(&full[..full.len() - 3], Path::new("mungo.ron")).unwrap_err();
    assert!(
        short.to_string().contains("the file ends too early"),
        "{short}"
    );
    for (index, end) in starts.windows(2).map(|pair| (pair[0], pair[1])).step_by(7) {
        for text in [
            full[..index].to_owned(),
            format!("{}{}", &full[..index], &full[end..]),
        ] {
            if let Err(error) = load_str::<Modules>(&text, Path::new("mungo.ron")) {
                let problem = &error.problems[0];
                assert!(problem.place.is_some(), "{problem}");
                assert!(!problem.mend.is_empty(), "{problem}");
            }
        }
    }
}

#[test]
fn deep_nesting_is_refused() {
    let text = format!("(domains: {}", "[".repeat(100_000));
    assert!(load_str::<Modules>(&text, Path::new("mungo.ron")).is_err());
}
