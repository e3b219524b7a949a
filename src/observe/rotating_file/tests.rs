use super::*;
use crate::sys::testing::{close_behind_its_back, ignore_by_handler, in_child};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::collections::HashSet;
use tempfile::TempDir;

const NONE: Rotation = Rotation { max_bytes: 0, max_files: 0, max_age_days: 0 };

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    (folder, path)
}

fn opened(path: &Path) -> RotatingFile {
    RotatingFile::open("log file", 0o666, path).unwrap()
}

fn add(file: &RotatingFile, line: &str, rotation: &Rotation) {
    file.append(&format!("{line}\n"), rotation, SystemTime::now()).unwrap();
}

/// The names in a folder, sorted, and what is in each.
fn all(folder: &TempDir) -> Vec<(String, String)> {
    let mut files: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            let text = std::fs::read_to_string(entry.path()).unwrap();
            (entry.file_name().into_string().unwrap(), text)
        })
        .collect();
    files.sort();
    files
}

fn is(folder: &TempDir, expected: &[(&str, &str)]) {
    let expected: Vec<_> = expected.iter().map(|(a, b)| (a.to_string(), b.to_string())).collect();
    assert_eq!(all(folder), expected);
}

#[test]
fn a_full_file_is_renamed_and_only_so_many_are_kept() {
    let (folder, path) = folder();
    let file = opened(&path);
    let rotation = Rotation { max_bytes: 8, max_files: 2, max_age_days: 0 };
    for line in ["one", "two", "three", "four", "longer than a file"] {
        add(&file, line, &rotation);
    }
    is(&folder, &[("log", "longer than a file\n"), ("log.1", "four\n"), ("log.2", "three\n")]);
    // Fewer from now on, and what only looks like one of them is let alone.
    std::fs::write(folder.path().join("log.old"), "").unwrap();
    std::fs::write(folder.path().join("log.01"), "").unwrap();
    add(&file, "six", &Rotation { max_files: 1, ..rotation });
    is(
        &folder,
        &[("log", "six\n"), ("log.01", ""), ("log.1", "longer than a file\n"), ("log.old", "")],
    );
}

#[test]
fn two_lines_fit_where_both_do() {
    let (folder, path) = folder();
    let file = opened(&path);
    let rotation = Rotation { max_bytes: 8, ..NONE };
    for line in ["one", "two", "six"] {
        add(&file, line, &rotation);
    }
    is(&folder, &[("log", "six\n"), ("log.1", "one\ntwo\n")]);
}

/// The clock is turned by what the file says of its last line.
#[test]
fn a_day_has_a_file_of_its_own_and_old_ones_go() {
    let (folder, path) = folder();
    let file = opened(&path);
    let rotation = Rotation { max_age_days: 3, ..NONE };
    let noon = UNIX_EPOCH + DAY * 20_000 + DAY / 2;
    let add = |line: &str, now: SystemTime| {
        file.append(&format!("{line}\n"), &rotation, now).unwrap();
        File::options().write(true).open(&path).unwrap().set_modified(now).unwrap();
    };
    add("day 0", noon);
    add("day 0, late", noon + DAY / 3);
    add("day 1", noon + DAY);
    add("a clock that was set back", noon);
    add("day 2", noon + DAY * 2);
    is(
        &folder,
        &[
            ("log", "day 2\n"),
            ("log.1", "day 1\na clock that was set back\n"),
            ("log.2", "day 0\nday 0, late\n"),
        ],
    );
    // What was written last four days ago or more is gone, what was three days ago is there.
    add("day 4", noon + DAY * 4 + DAY / 2);
    is(&folder, &[("log", "day 4\n"), ("log.1", "day 2\n")]);
}

const LINES: usize = 400;

fn write_many(file: &RotatingFile, writer: usize) {
    let rotation = Rotation { max_bytes: 2_000, ..NONE };
    for line in 0..LINES {
        add(file, &format!("{writer} {line} {}", "x".repeat(line % 40)), &rotation);
    }
}

/// Threads, forked children that share the open file, and one that has opened it by itself.
#[test]
fn no_line_is_lost_or_torn_however_many_write() {
    let (folder, path) = folder();
    let shared = opened(&path);
    std::thread::scope(|scope| {
        for writer in 0..5 {
            let (path, shared) = (&path, &shared);
            scope.spawn(move || match writer {
                0 | 1 => write_many(shared, writer),
                2 | 3 => assert_eq!(in_child(|| (write_many(shared, writer), 0).1), 0),
                _ => write_many(&opened(path), writer),
            });
        }
    });
    let files = all(&folder);
    // Who finds another one at it goes on writing, so how many there are is by chance.
    assert!(files.len() > 2, "{}", files.len());
    let lines: Vec<_> = files.iter().flat_map(|(_, text)| text.lines()).collect();
    assert_eq!(lines.len(), 5 * LINES);
    assert_eq!(lines.iter().collect::<HashSet<_>>().len(), 5 * LINES);
    for line in lines {
        let parts: Vec<_> = line.splitn(3, ' ').collect();
        assert_eq!(parts[2].len(), parts[1].parse::<usize>().unwrap() % 40, "{line}");
    }
}

/// As when it was forked while another thread opened the file: the number is there, the file is not.
#[test]
fn a_child_opens_the_file_by_itself() {
    let (folder, path) = folder();
    let file = opened(&path);
    let in_child = in_child(|| {
        close_behind_its_back(&file.open.load().file);
        add(&file, "child", &NONE);
        0
    });
    assert_eq!(in_child, 0);
    add(&file, "parent", &NONE);
    is(&folder, &[("log", "child\nparent\n")]);
}

#[test]
fn a_rotation_that_was_cut_off_overwrites_nothing() {
    let (folder, path) = folder();
    let old = |number: u32| folder.path().join(format!("log.{number}"));
    // It had moved 2 to 3.
    std::fs::write(old(1), "b").unwrap();
    std::fs::write(old(3), "a").unwrap();
    let file = opened(&path);
    let rotation = Rotation { max_bytes: 1, ..NONE };
    add(&file, "c", &rotation);
    add(&file, "d", &rotation);
    is(&folder, &[("log", "d\n"), ("log.1", "c\n"), ("log.2", "b"), ("log.3", "a")]);
}

#[test]
fn while_another_one_renames_nobody_waits() {
    let (folder, path) = folder();
    let file = opened(&path);
    let rotation = Rotation { max_bytes: 1, ..NONE };
    add(&file, "one", &rotation);
    let other = File::open(&path).unwrap();
    flock(&other, FlockOperation::LockExclusive).unwrap();
    add(&file, "two", &rotation);
    is(&folder, &[("log", "one\ntwo\n")]);
    // Not only closed: a child that another test has forked may have a copy of it.
    flock(&other, FlockOperation::Unlock).unwrap();
    add(&file, "three", &rotation);
    is(&folder, &[("log", "three\n"), ("log.1", "one\ntwo\n")]);
}

#[test]
fn a_rotation_by_another_program_is_followed() {
    let (folder, path) = folder();
    let file = opened(&path);
    add(&file, "one", &NONE);
    std::fs::rename(&path, folder.path().join("elsewhere")).unwrap();
    add(&file, "two", &NONE);
    is(&folder, &[("elsewhere", "one\n"), ("log", "two\n")]);
    std::fs::remove_file(&path).unwrap();
    add(&file, "three", &NONE);
    is(&folder, &[("elsewhere", "one\n"), ("log", "three\n")]);
}

#[test]
fn a_line_that_nobody_can_find_again_is_an_error() {
    let (folder, path) = folder();
    let file = opened(&path);
    std::fs::remove_dir_all(folder.path()).unwrap();
    assert!(file.append("one\n", &NONE, SystemTime::now()).is_err());
    let full = opened(Path::new("/dev/full"));
    assert!(full.append("one\n", &NONE, SystemTime::now()).is_err());
    let error = RotatingFile::open("log file", 0o666, &path).err().unwrap();
    assert_eq!(error.status(), Status::Io);
    assert!(error.message().contains("the log file") && error.message().contains("/log:"));
}

/// The disk is full amid a line: it is told, and the next one does not run into what is there of it.
#[test]
fn a_torn_line_ends_before_the_next_one() {
    let (folder, path) = folder();
    let file = opened(&path);
    // In a child, whose limit it is.
    let in_child = in_child(|| {
        let before = getrlimit(Resource::Fsize);
        setrlimit(Resource::Fsize, Rlimit { current: Some(6), ..before }).unwrap();
        add(&file, "one", &NONE);
        let torn = file.append("second\n", &NONE, SystemTime::now());
        setrlimit(Resource::Fsize, before).unwrap();
        add(&file, "three", &NONE);
        i32::from(torn.is_ok())
    });
    assert_eq!(in_child, 0);
    is(&folder, &[("log", "one\nse\nthree\n")]);
}

/// Adds lines, of which those that are not expected to be written fail, while the file may not be longer
/// than this.
fn add_while_full(file: &RotatingFile, most: u64, lines: &[(&str, bool)]) {
    // A write that does not fit at all is an error then, and does not end the process.
    ignore_by_handler(libc::SIGXFSZ);
    let before = getrlimit(Resource::Fsize);
    setrlimit(Resource::Fsize, Rlimit { current: Some(most), ..before }).unwrap();
    for (line, is_written) in lines {
        let added = file.append(&format!("{line}\n"), &NONE, SystemTime::now());
        assert_eq!(added.is_ok(), *is_written, "{line}");
    }
    setrlimit(Resource::Fsize, before).unwrap();
}

/// What fails as a whole after it does not end the torn line.
#[test]
fn a_torn_line_ends_before_the_next_one_however_many_fail_meanwhile() {
    let (folder, path) = folder();
    let file = opened(&path);
    let in_child = in_child(|| {
        add_while_full(&file, 6, &[("one", true), ("second", false), ("x", false), ("y", false)]);
        add(&file, "three", &NONE);
        add(&file, "four", &NONE);
        0
    });
    assert_eq!(in_child, 0);
    is(&folder, &[("log", "one\nse\nthree\nfour\n")]);
}

/// Who finds the disk full does not know whether another one tore a line there.
#[test]
fn a_line_that_another_process_tore_ends_before_the_next_one() {
    let (folder, path) = folder();
    let (file, other) = (opened(&path), opened(&path));
    add(&other, "a", &NONE);
    let in_child = in_child(|| {
        add_while_full(&file, 5, &[("one", false)]);
        add_while_full(&other, 5, &[("two", false)]);
        add(&other, "three", &NONE);
        add(&file, "four", &NONE);
        0
    });
    assert_eq!(in_child, 0);
    is(&folder, &[("log", "a\none\nthree\nfour\n")]);
}

/// Nothing was torn, so there is nothing to end.
#[test]
fn what_fails_between_two_lines_leaves_no_empty_one() {
    let (folder, path) = folder();
    let file = opened(&path);
    let in_child = in_child(|| {
        add_while_full(&file, 4, &[("one", true), ("two", false)]);
        add(&file, "three", &NONE);
        0
    });
    assert_eq!(in_child, 0);
    is(&folder, &[("log", "one\nthree\n")]);
}

#[test]
fn a_line_that_an_earlier_process_tore_ends_before_the_first_one() {
    let (folder, path) = folder();
    std::fs::write(&path, "one\nse").unwrap();
    let file = opened(&path);
    add(&file, "three", &NONE);
    add(&opened(&path), "four", &NONE);
    is(&folder, &[("log", "one\nse\nthree\nfour\n")]);
}

/// While another one writes, a line may be seen without its end.
#[test]
fn a_line_is_torn_that_stays_without_an_end() {
    let looks = [Duration::ZERO; 2];
    for (seen, is_torn) in [
        (&[false][..], false),
        (&[true, false], false),
        (&[true, true, false], false),
        (&[true, true, true], true),
    ] {
        let mut seen = seen.iter().copied();
        assert_eq!(stays(&looks, || seen.next().unwrap()), is_torn);
        assert_eq!(seen.next(), None);
    }
}

#[test]
fn what_could_not_act_is_refused() {
    let rotation =
        |max_bytes, max_files, max_age_days| Rotation { max_bytes, max_files, max_age_days };
    for allowed in [NONE, rotation(1, 0, 0), rotation(0, 5, 7), rotation(u64::MAX, 1_000, 36_500)] {
        assert!(allowed.check().is_ok(), "{allowed:?}");
    }
    for (refused, name) in [
        (rotation(0, 5, 0), "max_files does nothing"),
        (rotation(1, 1_001, 0), "max_files must be at most 1000"),
        (rotation(1, 0, 36_501), "max_age_days must be at most 36500"),
    ] {
        let error = refused.check().unwrap_err();
        assert_eq!(error.status(), Status::Argument);
        assert!(error.message().contains(name), "{error}");
    }
}
