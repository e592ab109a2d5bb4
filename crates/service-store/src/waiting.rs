//! Waiting for a store that comes later: services start in any order.

use std::time::Duration;

use store::StoreError;

/// How often a store that does not answer is asked again.
const RETRY_INTERVAL: Duration = Duration::from_millis(100);

/// Asks until the store is there.
pub async fn when_there<T>(
    mut ask: impl AsyncFnMut() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    loop {
        match ask().await {
            Err(StoreError::Unavailable(_)) => tokio::time::sleep(RETRY_INTERVAL).await,
            answer => return answer,
        }
    }
}
