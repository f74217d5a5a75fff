//! What a `PartiQL` statement does, and to which table.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-iam.html>

/// A statement's permission and the table or index it is on: `("PartiQLSelect", "orders", Some("by-day"))`.
pub(super) fn target(statement: &str) -> Option<(&'static str, String, Option<String>)> {
    let mut words = words(statement).into_iter();
    let first = words.next()?.to_ascii_uppercase();
    let mut after = |keyword: &str| {
        words.by_ref().find(|word| word.eq_ignore_ascii_case(keyword))?;
        words.next()
    };
    let (action, table) = match first.as_str() {
        // EXISTS, in a transaction, is a condition on an item.
        "SELECT" | "EXISTS" => ("PartiQLSelect", after("FROM")?),
        "INSERT" => ("PartiQLInsert", after("INTO")?),
        "DELETE" => ("PartiQLDelete", after("FROM")?),
        "UPDATE" => ("PartiQLUpdate", words.next()?),
        _ => return None,
    };
    let mut parts = table.split('.').map(|part| part.trim_matches('"').to_owned());
    Some((action, parts.next()?, parts.next().filter(|_| action == "PartiQLSelect")))
}

/// The words outside of texts; a quoted name, with what is joined to it by a dot, is one word.
fn words(statement: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for c in statement.chars() {
        match quote {
            Some(end) => {
                if end == '"' {
                    words.last_mut().into_iter().for_each(|word| word.push(c));
                }
                if c == end {
                    quote = None;
                }
            }
            None if c == '\'' => quote = Some('\''),
            None if c.is_whitespace() || "()[]{},".contains(c) => words.push(String::new()),
            None => {
                if c == '"' {
                    quote = Some('"');
                }
                words.last_mut().into_iter().for_each(|word| word.push(c));
            }
        }
    }
    words.retain(|word| !word.is_empty());
    words
}
