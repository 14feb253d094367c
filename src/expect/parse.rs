//! The grammar of expectations.

use super::path::{Path, Segment};
use super::{Condition, Expectation, Expression, Operator, Problem, Unit, number};

/// Parentheses and minus signs inside each other; a scenario could otherwise exhaust the stack.
const DEPTH: usize = 64;

/// Tokens of one expectation; a longer one would nest as deep.
const TOKENS: usize = 1_000;

pub(super) fn expectation(text: &str) -> Result<Expectation, Problem> {
    let mut parser = Parser { tokens: lex(text)?, next: 0, end: text.len() };
    let left = parser.sum(0)?;
    let condition = parser.condition()?;
    let right = parser.sum(0)?;
    parser.finish("one comparison each: write a second expectation")?;
    Ok(Expectation { text: text.trim().to_owned(), left, condition, right })
}

pub(super) fn expression(text: &str) -> Result<Expression, Problem> {
    let mut parser = Parser { tokens: lex(text)?, next: 0, end: text.len() };
    let expression = parser.sum(0)?;
    parser.finish("an expression has no comparison")?;
    Ok(expression)
}

/// A piece of the text and where it stands.
#[derive(Clone, Debug)]
struct Token {
    kind: Kind,
    offset: usize,
    length: usize,
}

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Number(f64, Unit),
    Path(Vec<Segment>),
    /// With a space on both sides.
    Operator(Operator),
    /// A minus sign without a space behind it.
    Negative,
    Condition(Condition),
    Within,
    Of,
    Open,
    Close,
}

struct Parser {
    tokens: Vec<Token>,
    next: usize,
    end: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Kind> {
        self.tokens.get(self.next).map(|token| &token.kind)
    }

    /// A problem with the next token, or with the end of the text.
    fn problem(&self, message: &str, help: &str) -> Problem {
        let (offset, length) = self.tokens.get(self.next).map_or((self.end, 0), |token| (token.offset, token.length));
        Problem { offset, length, message: message.to_owned(), help: Some(help.to_owned()) }
    }

    fn finish(&self, help: &str) -> Result<(), Problem> {
        match self.peek() {
            None => Ok(()),
            Some(Kind::Condition(_) | Kind::Within) => Err(self.problem("a second comparison", help)),
            Some(Kind::Close) => Err(self.problem("`)` without `(`", "remove it, or open it with `(`")),
            Some(Kind::Negative) => Err(self.problem(MISSING_OPERATOR, "put a space on both sides of `-`")),
            Some(_) => Err(self.problem(MISSING_OPERATOR, "put `+`, `-`, `*` or `/` between two numbers")),
        }
    }

    fn condition(&mut self) -> Result<Condition, Problem> {
        match self.peek() {
            Some(&Kind::Condition(condition)) => {
                self.next += 1;
                Ok(condition)
            }
            Some(Kind::Within) => {
                self.next += 1;
                let Some(&Kind::Number(share, _)) = self.peek() else {
                    return Err(self.problem("expected a share after `within`", "for example `within 5% of`"));
                };
                self.next += 1;
                if self.peek() != Some(&Kind::Of) {
                    return Err(self.problem("expected `of`", "for example `within 5% of 300`"));
                }
                self.next += 1;
                Ok(Condition::Within(share))
            }
            None => Err(self.problem("expected a comparison", "for example `< 800ms`, `== 0` or `within 5% of 300`")),
            Some(_) => self.finish("").map(|()| unreachable!("there is a token")),
        }
    }

    /// `depth` is how deep it stands in parentheses.
    fn sum(&mut self, depth: usize) -> Result<Expression, Problem> {
        let mut left = self.product(depth)?;
        while let Some(&Kind::Operator(operator @ (Operator::Plus | Operator::Minus))) = self.peek() {
            self.next += 1;
            left = Expression::Binary(Box::new(left), operator, Box::new(self.product(depth)?));
        }
        Ok(left)
    }

    fn product(&mut self, depth: usize) -> Result<Expression, Problem> {
        let mut left = self.factor(depth)?;
        while let Some(&Kind::Operator(operator @ (Operator::Times | Operator::Over))) = self.peek() {
            self.next += 1;
            left = Expression::Binary(Box::new(left), operator, Box::new(self.factor(depth)?));
        }
        Ok(left)
    }

    fn factor(&mut self, depth: usize) -> Result<Expression, Problem> {
        if depth > DEPTH {
            return Err(self.problem("too many parentheses inside each other", "at most 64"));
        }
        let Some(token) = self.tokens.get(self.next).cloned() else {
            return Err(self.problem("expected a number or a path", "for example `callers.NAME.latency_ms.p99`"));
        };
        self.next += 1;
        match token.kind {
            Kind::Number(number, unit) => Ok(Expression::Number(number, unit)),
            Kind::Path(segments) => Ok(Expression::Path(Path { segments, offset: token.offset, length: token.length })),
            Kind::Negative | Kind::Operator(Operator::Minus) => {
                Ok(Expression::Minus(Box::new(self.factor(depth + 1)?)))
            }
            Kind::Open => {
                let inner = self.sum(depth + 1)?;
                if self.peek() != Some(&Kind::Close) {
                    return Err(self.problem("expected `)`", "every `(` needs its `)`"));
                }
                self.next += 1;
                Ok(inner)
            }
            Kind::Operator(_) | Kind::Condition(_) | Kind::Within | Kind::Of | Kind::Close => {
                self.next -= 1;
                Err(self.problem("expected a number or a path", "for example `callers.NAME.latency_ms.p99`"))
            }
        }
    }
}

const MISSING_OPERATOR: &str = "expected an operator, a comparison or the end";

/// Cuts the text into tokens.
fn lex(text: &str) -> Result<Vec<Token>, Problem> {
    let bytes = text.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte.is_ascii_whitespace() {
            at += 1;
            continue;
        }
        let (kind, length) = match byte {
            b'(' => (Kind::Open, 1),
            b')' => (Kind::Close, 1),
            b'<' | b'>' | b'=' | b'!' => comparison(text, at)?,
            b'+' | b'*' | b'/' | b'-' => operator(text, at)?,
            b'0'..=b'9' => word(text, at)?,
            b'_' | b'"' | b'a'..=b'z' | b'A'..=b'Z' => path(text, at)?,
            _ => return Err(unexpected(text, at)),
        };
        if tokens.len() == TOKENS {
            return Err(problem(at, length, "too long".to_owned(), "at most 1,000 names, numbers and signs"));
        }
        tokens.push(Token { kind, offset: at, length });
        at += length;
    }
    Ok(tokens)
}

fn unexpected(text: &str, at: usize) -> Problem {
    let rest = &text[at..];
    let length = rest.chars().next().map_or(0, char::len_utf8);
    let help = match rest.as_bytes() {
        [b'&', b'&', ..] | [b'|', b'|', ..] => "one comparison each: write a second expectation",
        _ => "expressions are made of paths, numbers, `+ - * /`, parentheses and one comparison",
    };
    problem(at, length, format!("unexpected `{}`", &rest[..length]), help)
}

fn problem(offset: usize, length: usize, message: String, help: &str) -> Problem {
    Problem { offset, length, message, help: Some(help.to_owned()) }
}

fn comparison(text: &str, at: usize) -> Result<(Kind, usize), Problem> {
    let (condition, length) = match &text.as_bytes()[at..] {
        [b'<', b'=', ..] => (Condition::LessOrEqual, 2),
        [b'>', b'=', ..] => (Condition::GreaterOrEqual, 2),
        [b'=', b'=', ..] => (Condition::Equal, 2),
        [b'!', b'=', ..] => (Condition::NotEqual, 2),
        [b'<', ..] => (Condition::Less, 1),
        [b'>', ..] => (Condition::Greater, 1),
        [b'=', ..] => return Err(problem(at, 1, "`=` is not a comparison".to_owned(), "write `==`")),
        _ => return Err(problem(at, 1, "`!` is not a comparison".to_owned(), "write `!=`")),
    };
    Ok((Kind::Condition(condition), length))
}

fn operator(text: &str, at: usize) -> Result<(Kind, usize), Problem> {
    let bytes = text.as_bytes();
    let space = |byte: Option<&u8>| byte.is_none_or(u8::is_ascii_whitespace);
    let (before, after) = (space(at.checked_sub(1).map(|at| &bytes[at])), space(bytes.get(at + 1)));
    let operator = match bytes[at] {
        b'+' => Operator::Plus,
        b'*' => Operator::Times,
        b'/' => Operator::Over,
        _ if !after => return Ok((Kind::Negative, 1)),
        _ => Operator::Minus,
    };
    if before && after {
        return Ok((Kind::Operator(operator), 1));
    }
    let sign = &text[at..=at];
    let help = if sign == "/" && before == after && !after {
        "a rate is a plain number: `goodput_per_s > 50`; a division has a space on both sides"
    } else {
        "names may contain `-`, so operators stand alone: `a - b`"
    };
    Err(problem(at, 1, format!("`{sign}` needs a space on both sides"), help))
}

fn word(text: &str, at: usize) -> Result<(Kind, usize), Problem> {
    let bytes = text.as_bytes();
    let mut end = at;
    while let Some(&byte) = bytes.get(end) {
        let signed = matches!(byte, b'+' | b'-')
            && matches!(bytes[end - 1], b'e' | b'E')
            && bytes.get(end + 1).is_some_and(u8::is_ascii_digit);
        if !(byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'%' | b'_') || signed) {
            break;
        }
        end += 1;
    }
    let word = &text[at..end];
    match number::parse(word) {
        Ok((number, unit)) => Ok((Kind::Number(number, unit), end - at)),
        Err(wrong) => Err(problem(at, end - at, wrong.message, &wrong.help)),
    }
}

fn path(text: &str, at: usize) -> Result<(Kind, usize), Problem> {
    let bytes = text.as_bytes();
    let mut segments = Vec::new();
    let mut end = at;
    loop {
        let (segment, length) = segment(text, end)?;
        segments.push(segment);
        end += length;
        while bytes.get(end) == Some(&b'[') {
            let (index, length) = index(text, end)?;
            segments.push(Segment::index(index, end, length));
            end += length;
        }
        if bytes.get(end) != Some(&b'.') {
            break;
        }
        end += 1;
    }
    let kind = match &text[at..end] {
        "within" => Kind::Within,
        "of" => Kind::Of,
        "and" | "or" => {
            let help = "one comparison each: write a second expectation";
            return Err(problem(at, end - at, format!("unexpected `{}`", &text[at..end]), help));
        }
        _ => Kind::Path(segments),
    };
    Ok((kind, end - at))
}

fn segment(text: &str, at: usize) -> Result<(Segment, usize), Problem> {
    let rest = &text[at..];
    if let Some(quoted) = rest.strip_prefix('"') {
        let Some(end) = quoted.find('"') else {
            return Err(problem(at, rest.len(), "a quote that does not end".to_owned(), "close it with `\"`"));
        };
        return Ok((Segment::key(&quoted[..end], at, end + 2), end + 2));
    }
    let name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let length = rest.bytes().take_while(|byte| name(byte)).count();
    if length == 0 {
        return Err(problem(at, 0, "expected a name after `.`".to_owned(), "paths look like `functions.NAME.errors`"));
    }
    Ok((Segment::key(&rest[..length], at, length), length))
}

fn index(text: &str, at: usize) -> Result<(usize, usize), Problem> {
    let rest = &text[at + 1..];
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    match rest[..digits].parse() {
        Ok(index) if rest.as_bytes().get(digits) == Some(&b']') => Ok((index, digits + 2)),
        _ => Err(problem(at, 1, "expected a number in brackets".to_owned(), "for example `shards[0]`; 0 is the first")),
    }
}
