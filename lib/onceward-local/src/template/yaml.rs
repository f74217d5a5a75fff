use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};

use super::{
    error::{Faulted, Faults},
    node::{Data, Key, Node},
};

/// How deep values may nest: far beyond any template, far below what overflows the stack.
const DEPTH_MAX: usize = 64;

/// Reads the one YAML document in `text`.
pub(super) fn parse(text: &str, faults: &Faults) -> Result<Node, Faulted> {
    let mut reader = Reader { parser: Parser::new_from_str(text), faults };
    loop {
        let (event, span) = reader.next()?;
        match event {
            Event::StreamStart | Event::DocumentStart(_) | Event::Nothing => {}
            Event::StreamEnd => {
                return Err(faults.add(1, "", "the file is empty; a template needs at least Resources"));
            }
            event => return reader.node(event, span, 0),
        }
    }
}

struct Reader<'a> {
    parser: Parser<'a, saphyr_parser::StrInput<'a>>,
    faults: &'a Faults,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span), Faulted> {
        match self.parser.next() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(self.faults.add(error.marker().line(), "", format!("not YAML: {}", error.info()))),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node, Faulted> {
        let line = span.start.line();
        if depth > DEPTH_MAX {
            return Err(self.faults.add(line, "", format!("values are nested more than {DEPTH_MAX} deep")));
        }
        let (data, tag) = match event {
            Event::Scalar(text, style, _, tag) => {
                (Data::Scalar { text: text.into_owned(), quoted: style != ScalarStyle::Plain }, tag)
            }
            Event::SequenceStart(_, tag) => (self.list(depth)?, tag),
            Event::MappingStart(_, tag) => (self.map(depth)?, tag),
            Event::Alias(_) => {
                return Err(self.faults.add(line, "", "CloudFormation does not know YAML aliases: repeat the value"));
            }
            other => return Err(self.faults.add(line, "", format!("not YAML: unexpected {other:?}"))),
        };
        Ok(match tag {
            Some(tag) => tagged(Node { line, data }, &tag),
            None => called(Node { line, data }),
        })
    }

    fn list(&mut self, depth: usize) -> Result<Data, Faulted> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Data::List(items)),
                (event, span) => items.push(self.node(event, span, depth + 1)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Data, Faulted> {
        let mut entries: Vec<(Key, Node)> = Vec::new();
        loop {
            let key = match self.next()? {
                (Event::MappingEnd, _) => return Ok(Data::Map(entries)),
                (Event::Scalar(name, ..), span) => Key { name: name.into_owned(), line: span.start.line() },
                (_, span) => return Err(self.faults.add(span.start.line(), "", "a mapping's key must be a string")),
            };
            if let Some((first, _)) = entries.iter().find(|(first, _)| first.name == key.name) {
                let message = format!("`{}` is already given on line {}: keep one", key.name, first.line);
                self.faults.add(key.line, "", message);
            }
            let (event, span) = self.next()?;
            let node = self.node(event, span, depth + 1)?;
            entries.push((key, node));
        }
    }
}

/// `!Ref x`, `!Sub x`: the short forms.
fn tagged(node: Node, tag: &Tag) -> Node {
    let function = match tag.suffix.as_str() {
        _ if tag.handle != "!" => return called(node), // `!!str` and its kin change no CloudFormation value
        name @ ("Ref" | "Condition") => name.to_owned(),
        name => format!("Fn::{name}"),
    };
    Node { line: node.line, data: Data::Call { function, argument: Box::new(node) } }
}

/// `{Ref: x}`, `{Fn::Sub: x}`: the long forms.
fn called(node: Node) -> Node {
    match node.data {
        Data::Map(mut entries) if entries.len() == 1 && is_function(&entries[0].0.name) => {
            let (key, argument) = entries.remove(0);
            Node { line: node.line, data: Data::Call { function: key.name, argument: Box::new(argument) } }
        }
        data => Node { line: node.line, data },
    }
}

fn is_function(name: &str) -> bool {
    name == "Ref" || name.starts_with("Fn::")
}
