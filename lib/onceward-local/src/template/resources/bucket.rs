use crate::template::{properties::Properties, stack::Bucket};

pub(super) fn read(properties: Properties<'_>, logical_id: String, name: String) -> Bucket {
    properties
        .refuse(&["NotificationConfiguration"], "objects come and go unnoticed; send a message that names the object");
    properties.refuse(&["ReplicationConfiguration"], "there is one region");
    properties.refuse(&["WebsiteConfiguration"], "buckets are not served as sites");
    properties.refuse(&["ObjectLockEnabled", "ObjectLockConfiguration"], "objects are never locked");
    if let Some(versioning) = properties.nested("VersioningConfiguration") {
        if versioning.one_of("Status", &["Enabled", "Suspended"]) == Some("Enabled") {
            versioning.fault("Status", "not supported by the local cloud: an object has one version");
        }
        versioning.finish();
    }
    properties.irrelevant(&[
        "AbacStatus",
        "AccelerateConfiguration",
        "AccessControl",
        "AnalyticsConfigurations",
        "BucketEncryption",
        "BucketName",
        "CorsConfiguration",
        "IntelligentTieringConfigurations",
        "InventoryConfigurations",
        "LifecycleConfiguration",
        "LoggingConfiguration",
        "MetricsConfigurations",
        "OwnershipControls",
        "PublicAccessBlockConfiguration",
        "Tags",
    ]);
    properties.finish();
    Bucket { logical_id, name }
}
