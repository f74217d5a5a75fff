use std::time::Duration;

use crate::{
    lambda::Cors,
    template::{node::Data, properties::Properties, stack::Stack},
};

/// What CORS allows if the template says `CorsConfiguration: true`.
const ANY: &str = "*";

/// An `AWS::Serverless::HttpApi`. There is one HTTP API here, so all that are declared share their routes.
pub(super) fn read(properties: Properties<'_>, stack: &mut Stack) {
    properties.irrelevant(&[
        "Name",
        "Description",
        "AccessLogSettings",
        "DefaultRouteSettings",
        "RouteSettings",
        "Tags",
        "PropagateTags",
        "FailOnWarnings",
    ]);
    // Another stage is a part of every path.
    properties.one_of("StageName", &["$default"]);
    properties.refuse(&["Auth"], "requests come in without authorizers");
    properties.refuse(&["DefinitionBody", "DefinitionUri"], "routes are the functions' HttpApi events");
    let cors = cors(&properties);
    if cors.is_some() && stack.cors.is_some() && stack.cors != cors {
        let message = "the local cloud has one HTTP API: two with different CorsConfiguration cannot be told apart";
        properties.fault("CorsConfiguration", message);
    }
    stack.cors = cors.or(stack.cors.take());
    properties.finish();
}

/// `true`, or what is allowed.
/// <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-httpapi-httpapicorsconfiguration.html>
fn cors(properties: &Properties<'_>) -> Option<Cors> {
    if !matches!(properties.raw("CorsConfiguration")?.data, Data::Map(_)) {
        let allowed = properties.boolean("CorsConfiguration")?;
        return allowed.then(|| Cors { allow_origins: vec![ANY.to_owned()], ..Cors::default() });
    }
    let config = properties.nested("CorsConfiguration")?;
    let texts = |name| {
        let items = config.list(name);
        items.iter().filter_map(|item| item.as_text().map(str::to_owned)).collect::<Vec<_>>()
    };
    let cors = Cors {
        allow_origins: texts("AllowOrigins"),
        allow_methods: texts("AllowMethods").iter().map(|method| method.to_uppercase()).collect(),
        allow_headers: texts("AllowHeaders").iter().map(|header| header.to_lowercase()).collect(),
        expose_headers: texts("ExposeHeaders").iter().map(|header| header.to_lowercase()).collect(),
        allow_credentials: config.boolean("AllowCredentials").unwrap_or(false),
        max_age: config.number("MaxAge", -1..=86_400).map(|seconds: i64| {
            // -1 turns caching off.
            Duration::from_secs(u64::try_from(seconds).unwrap_or_default())
        }),
    };
    if cors.allow_credentials && cors.allow_origins.iter().any(|origin| origin == ANY) {
        config.fault("AllowCredentials", "AWS refuses credentials together with the origin `*`: name the origins");
    }
    config.finish();
    Some(cors)
}
