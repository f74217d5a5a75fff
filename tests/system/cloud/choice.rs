use super::container::image;

/// Names the cloud.
const VARIABLE: &str = "ONCEWARD_TEST_CLOUD";

/// What the variable can say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Choice {
    Embedded,
    Endpoint(String),
    Ministack,
    Testcontainers,
}

impl Choice {
    pub(crate) fn from_environment() -> Result<Self, String> {
        Self::parse(&std::env::var(VARIABLE).unwrap_or_default())
    }

    fn parse(value: &str) -> Result<Self, String> {
        match (value, value.strip_prefix("endpoint=")) {
            ("" | "embedded", _) => Ok(Self::Embedded),
            ("ministack", _) => Ok(Self::Ministack),
            ("testcontainers", _) => Ok(Self::Testcontainers),
            (_, Some(url)) if url.starts_with("http://") || url.starts_with("https://") => {
                Ok(Self::Endpoint(url.trim_end_matches('/').to_owned()))
            }
            _ => Err(format!("{VARIABLE} is {value:?}: it may be embedded, endpoint=URL, ministack or testcontainers")),
        }
    }

    /// Whether that emulator's known differences are to be expected.
    pub(super) fn is_ministack(&self) -> bool {
        match self {
            Self::Ministack => true,
            Self::Testcontainers => image().contains("ministack"),
            Self::Embedded | Self::Endpoint(_) => false,
        }
    }
}

pub(super) fn the_setting_names_a_cloud_or_is_refused() {
    for (value, expected) in [
        ("", Choice::Embedded),
        ("embedded", Choice::Embedded),
        ("ministack", Choice::Ministack),
        ("testcontainers", Choice::Testcontainers),
        ("endpoint=http://127.0.0.1:4566/", Choice::Endpoint("http://127.0.0.1:4566".to_owned())),
    ] {
        assert_eq!(Choice::parse(value), Ok(expected));
    }
    for value in ["Embedded", "endpoint", "endpoint=", "endpoint=localhost:4566", "aws"] {
        let error = Choice::parse(value).expect_err(value);
        assert!(error.contains(value) && error.contains("endpoint=URL"), "{error}");
    }
}
