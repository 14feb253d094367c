//! Text that is not a scenario at all, hostile files, and random edits.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;

/// One problem without a place worth naming.
#[track_caller]
fn says(bytes: &[u8], kind: Kind, place: (usize, usize), text: &[&str]) {
    let error = refuse(bytes, &[]);
    let problem = &error.problems()[0];
    assert_eq!(
        (error.problems().len(), problem.kind(), (problem.line(), problem.column())),
        (1, kind, place),
        "{error}"
    );
    for text in text {
        assert!(error.to_string().contains(text), "no {text:?} in\n{error}");
    }
}

#[test]
fn what_is_not_yaml() {
    says(b"", Kind::Syntax, (1, 1), &["the file is empty"]);
    says(b"# only a comment\n", Kind::Syntax, (1, 1), &["the file is empty"]);
    says(b"- a\n- b\n", Kind::WrongType, (1, 3), &["the file holds a list", "expected a mapping with `name`"]);
    says(b"hello", Kind::WrongType, (1, 1), &["the file holds `hello`"]);
    says(b"name: a\n---\nname: b\n", Kind::Syntax, (2, 1), &["a second document begins here"]);
    says(
        b"name: a\nfunctions:\n\tf: 1\n",
        Kind::Syntax,
        (3, 1),
        &["a tab indents this line", "indent with spaces; YAML does not allow tabs"],
    );
    let indented = GOOD.replace("    duration: 20ms", "    timeout: 3s\n\tduration: 20ms");
    says(indented.as_bytes(), Kind::Syntax, (6, 1), &["a tab indents this line", "help: indent with spaces"]);
    let indented = GOOD.replace("    duration: 20ms", "    timeout: 3s\n\n    \tduration: 20ms");
    says(indented.as_bytes(), Kind::Syntax, (7, 5), &["a tab indents this line", "help: indent with spaces"]);
    says(b"name: [a\n", Kind::Syntax, (1, 7), &["this is not YAML"]);
    says(b"name: 'a\n", Kind::Syntax, (2, 1), &["this is not YAML"]);
    says(b"name: a\n? [a, b]\n: c\n", Kind::WrongType, (2, 3), &["a key is a plain text"]);
    says(b"name: a\n{a: b}: c\n", Kind::WrongType, (2, 1), &["a key is a plain text"]);
    says(b"name: *nme\n", Kind::Syntax, (1, 7), &["no anchor `&nme`"]);
    says(b"name: &a [*a]\n", Kind::Syntax, (1, 11), &["inside its own anchor"]);
    says(b"name: \xff\xff\n", Kind::Syntax, (1, 1), &["line 1 of the file is not UTF-8: byte 0xff"]);
    let wide = GOOD.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    says(&wide, Kind::Syntax, (1, 1), &["UTF-16", "save it as UTF-8"]);
    let marked = [0xfe, 0xff].into_iter().chain(GOOD.encode_utf16().flat_map(u16::to_be_bytes)).collect::<Vec<_>>();
    says(&marked, Kind::Syntax, (1, 1), &["UTF-16"]);
    let tagged = GOOD.replace("20ms", "!seconds 20ms");
    says(tagged.as_bytes(), Kind::Syntax, (5, 24), &["the tag `!seconds` means nothing here"]);
    let merged = format!("{GOOD}<<: 5\n");
    says(merged.as_bytes(), Kind::WrongType, (10, 5), &["a merge key takes mappings"]);
}

#[test]
fn what_would_cost_too_much() {
    says(&vec![b' '; (16 << 20) + 1], Kind::Limit, (1, 1), &["more than 16 MiB"]);
    for (open, close) in [("[", "]"), ("{a: ", "}")] {
        let deep = format!("name: {}{}", open.repeat(100_000), close.repeat(100_000));
        let error = refuse(deep.as_bytes(), &[]);
        assert_eq!(error.problems()[0].kind(), Kind::Limit, "{error}");
    }
    let deep = (0..100_000).fold(String::new(), |text, depth| text + &" ".repeat(depth % 200) + "a:\n");
    refuse(deep.as_bytes(), &[]);
    let lists = format!("name: a\nx:\n{}1\n", "- ".repeat(100_000));
    assert!(refuse(lists.as_bytes(), &[]).to_string().contains("levels deep"));
    // Nine levels of nine aliases each: 387 million values.
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let aliases = vec![format!("*a{}", level - 1); 9].join(", ");
        let _ = writeln!(bomb, "a{level}: &a{level} [{aliases}]");
    }
    let error = refuse(bomb.as_bytes(), &[]);
    assert!(error.to_string().contains("more than 1000000 values"), "{error}");
    let text = format!("a: &a {}\nb: [{}]\n", "x".repeat(1 << 20), vec!["*a"; 1000].join(", "));
    assert!(refuse(text.as_bytes(), &[]).to_string().contains("more than 32 MiB of text"));
    let nested = (1..2_000)
        .fold("a0: &a0 x\n".to_owned(), |text, level| text + &format!("a{level}: &a{level} [*a{}]\n", level - 1));
    assert!(refuse(nested.as_bytes(), &[]).to_string().contains("levels deep"));
}

/// Good scenarios with every key.
const LARGE: [&str; 2] = [include_str!("../data/large.yaml"), include_str!("../data/streams.yaml")];

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever becomes of a good scenario, reading it comes to an end without a panic, and so does the message.
    #[test]
    fn any_input_is_answered(
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0..4u8, any::<u8>(), any::<prop::sample::Index>()), 1..12),
        large in 0..2usize,
        flag in "[a-z.\\[\\]0-9=:{}]{0,40}",
    ) {
        const BYTES: &[u8] = b"\n\t {}[]:,-&*!|>'\"%@`#?0123456789eE.+~<sm/";
        let mut bytes = LARGE[large].as_bytes().to_vec();
        for (at, what, byte, other) in edits {
            let at = at.index(bytes.len());
            match what {
                0 => bytes[at] = byte,
                1 => bytes[at] = BYTES[usize::from(byte) % BYTES.len()],
                2 => {
                    bytes.remove(at);
                }
                _ => {
                    let other = other.index(bytes.len());
                    let (from, to) = (at.min(other), at.max(other).min(at.min(other) + 200));
                    let piece = bytes[from..to].to_vec();
                    bytes.splice(at..at, piece);
                }
            }
        }
        for overrides in [vec![], vec![flag]] {
            if let Err(error) = parse("x.yaml", &bytes, data(), &overrides) {
                prop_assert!(!error.problems().is_empty());
                prop_assert!(error.render(true).len() > 10);
            }
        }
    }

    /// Values in each other's place: still YAML, mostly not a scenario; a refusal always has a reason.
    #[test]
    fn swapped_values_are_answered(
        swaps in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..6),
        large in 0..2usize,
        flag in (any::<prop::sample::Index>(), any::<prop::sample::Index>()),
    ) {
        const ODD: [&str; 12] =
            ["none", "off", "unlimited", "-1", "{}", "[]", "~", "0", "100%", "1e300", "{min: 1s}", "[{at: 1s}]"];
        let word = |letter: char| letter.is_alphanumeric() || "_.%/-#".contains(letter);
        let mut tokens: Vec<&str> = LARGE[large].split_inclusive(|letter: char| !word(letter)).collect();
        let words: Vec<&str> = tokens.iter().map(|token| token.trim_end_matches(|letter| !word(letter))).collect();
        let pool: Vec<&str> = words.iter().copied().chain(ODD).filter(|word| !word.is_empty()).collect();
        let mut owned = Vec::new();
        for (at, with) in &swaps {
            let at = at.index(tokens.len());
            owned.push((at, format!("{}{}", with.get(&pool), &tokens[at][words[at].len()..])));
        }
        for (at, token) in &owned {
            tokens[*at] = token;
        }
        let text = tokens.concat();
        let flag = format!("functions.{}={}", flag.0.get(&pool), flag.1.get(&pool));
        for overrides in [vec![], vec![flag]] {
            if let Err(error) = parse("x.yaml", text.as_bytes(), data(), &overrides) {
                prop_assert!(!error.problems().is_empty());
            }
        }
    }
}
