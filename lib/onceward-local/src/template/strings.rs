use super::{
    error::Faulted,
    intrinsics::Resolver,
    names,
    node::{Data, Node},
};

/// The functions that make text and pick from lists, and how arguments are read.
impl Resolver<'_> {
    /// `Fn::Sub` of a text, or of `[text, {variable: value}]`. `${!x}` stands for `${x}`.
    pub(super) fn substitute(&self, argument: &Node, place: &str) -> Result<String, Faulted> {
        let (template, variables) = match &argument.data {
            Data::List(items) => match items.as_slice() {
                [template, variables] => (template, Some(variables)),
                _ => return Err(self.faults.add(argument.line, place, "Fn::Sub takes a text, or [text, variables]")),
            },
            _ => (argument, None),
        };
        let line = template.line;
        let mut rest = self.literal(template, "Fn::Sub", place)?;
        let mut text = String::with_capacity(rest.len());
        while let Some((before, after)) = rest.split_once("${") {
            let Some((name, tail)) = after.split_once('}') else {
                return Err(self.faults.add(line, place, "a `${` in Fn::Sub has no `}`"));
            };
            text.push_str(before);
            rest = tail;
            let name = name.trim();
            if let Some(literal) = name.strip_prefix('!') {
                text.extend(["${", literal, "}"]);
            } else if let Some(value) = variables.and_then(|variables| variables.get(name)) {
                text.push_str(&self.text(value, place)?);
            } else if let Some((id, attribute)) = name.split_once('.') {
                text.push_str(&names::attribute(self, id, attribute, line, place)?);
            } else {
                let value = names::reference(self, name, line, place)?;
                let value = value.as_ref().and_then(Node::as_text);
                text.push_str(value.ok_or_else(|| self.faults.add(line, place, format!("`${{{name}}}` is no text")))?);
            }
        }
        text.push_str(rest);
        Ok(text)
    }

    pub(super) fn join(&self, argument: &Node, place: &str) -> Result<String, Faulted> {
        match self.arguments(argument, "Fn::Join", place)?.as_slice() {
            [delimiter, list] => {
                let items = self.list(list, "Fn::Join", place)?;
                let texts: Result<Vec<_>, _> = items.iter().map(|item| self.text(item, place)).collect();
                Ok(texts?.join(&self.text(delimiter, place)?))
            }
            _ => Err(self.faults.add(argument.line, place, "Fn::Join takes [delimiter, list]")),
        }
    }

    pub(super) fn split(&self, argument: &Node, place: &str) -> Result<Node, Faulted> {
        let line = argument.line;
        match self.arguments(argument, "Fn::Split", place)?.as_slice() {
            [delimiter, text] => {
                let (delimiter, text) = (self.text(delimiter, place)?, self.text(text, place)?);
                let items = text.split(delimiter.as_str()).map(|part| Node::text(line, part)).collect();
                Ok(Node { line, data: Data::List(items) })
            }
            _ => Err(self.faults.add(line, place, "Fn::Split takes [delimiter, text]")),
        }
    }

    pub(super) fn select(&self, argument: &Node, place: &str) -> Result<Node, Faulted> {
        match self.arguments(argument, "Fn::Select", place)?.as_slice() {
            [index, list] => {
                let index = self.text(index, place)?;
                let items = self.list(list, "Fn::Select", place)?;
                index.parse().ok().and_then(|index: usize| items.get(index).cloned()).ok_or_else(|| {
                    let message = format!("Fn::Select asks for item {index} of {} (the first is 0)", items.len());
                    self.faults.add(argument.line, place, message)
                })
            }
            _ => Err(self.faults.add(argument.line, place, "Fn::Select takes [index, list]")),
        }
    }

    pub(super) fn find_in_map(&self, argument: &Node, place: &str) -> Result<Node, Faulted> {
        let names = self.arguments(argument, "Fn::FindInMap", place)?;
        let names: Vec<_> = names.iter().map(|name| self.text(name, place)).collect::<Result<_, _>>()?;
        let [map, top, second] = names.as_slice() else {
            return Err(self.faults.add(argument.line, place, "Fn::FindInMap takes [map, top key, second key]"));
        };
        let map_node = self.document.mappings.iter().find(|(key, _)| key.name == *map).map(|(_, node)| node);
        let found = map_node.and_then(|node| node.get(top)).and_then(|node| node.get(second)).cloned();
        found.ok_or_else(|| self.faults.add(argument.line, place, format!("Mappings has no {map}.{top}.{second}")))
    }

    /// `Resource.Attribute`, or `[Resource, Attribute]`.
    pub(super) fn attribute_path(&self, argument: &Node, place: &str) -> Result<(String, String), Faulted> {
        let path = match &argument.data {
            Data::List(items) => match items.as_slice() {
                [id, attribute] => return Ok((self.text(id, place)?, self.text(attribute, place)?)),
                _ => None,
            },
            _ => argument.as_text().and_then(|text| text.split_once('.')),
        };
        path.map(|(id, attribute)| (id.to_owned(), attribute.to_owned()))
            .ok_or_else(|| self.faults.add(argument.line, place, "Fn::GetAtt takes `Resource.Attribute`"))
    }

    /// A resolved text.
    pub(super) fn text(&self, node: &Node, place: &str) -> Result<String, Faulted> {
        let resolved = self.resolve(node, place)?;
        resolved.as_ref().and_then(Node::as_text).map(str::to_owned).ok_or_else(|| {
            self.faults.add(
                node.line,
                place,
                format!("expected a text, found {}", resolved.as_ref().unwrap_or(node).kind()),
            )
        })
    }

    /// A text that must be written out: names of conditions and resources cannot be computed.
    pub(super) fn literal<'n>(&self, node: &'n Node, function: &str, place: &str) -> Result<&'n str, Faulted> {
        node.as_text().ok_or_else(|| {
            self.faults.add(node.line, place, format!("{function} takes a text here, found {}", node.kind()))
        })
    }

    /// A function's list of arguments, as written.
    pub(super) fn arguments(&self, node: &Node, function: &str, place: &str) -> Result<Vec<Node>, Faulted> {
        match &node.data {
            Data::List(items) => Ok(items.clone()),
            _ => Err(self.faults.add(node.line, place, format!("{function} takes a list, found {}", node.kind()))),
        }
    }

    fn list(&self, node: &Node, function: &str, place: &str) -> Result<Vec<Node>, Faulted> {
        let resolved = self.resolve(node, place)?;
        match resolved.map(|node| node.data) {
            Some(Data::List(items)) => Ok(items),
            _ => Err(self.faults.add(node.line, place, format!("{function} takes a list, found {}", node.kind()))),
        }
    }
}
