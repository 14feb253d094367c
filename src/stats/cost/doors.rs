//! What requests to API Gateway cost (INV-7).
//!
//! The first tier of a month, whatever the size of a request; a request that was refused for its rate costs nothing.
//! Other services before a function are not priced.

use super::Pico;
use crate::aws::config::Service;

/// What one caller sent through a service.
#[derive(Clone, Copy, Debug)]
pub(in crate::stats) struct DoorUsage {
    pub(in crate::stats) service: Service,
    /// Requests that it let through.
    pub(in crate::stats) requests: u64,
}

/// A million requests to a REST API are 3.50 USD, to an HTTP API 1.00 USD, a million messages to a WebSocket API 1.00
/// USD: AWS's list price of the first tier (`D-rec`; WebSocket without its connections: observed).
#[allow(clippy::wildcard_enum_match_arm, reason = "the others are not priced")]
fn price(service: Service) -> Pico {
    match service {
        Service::ApiGatewayRest => 3_500_000,
        Service::ApiGatewayHttp | Service::ApiGatewayWebsocket => 1_000_000,
        _ => 0,
    }
}

/// The price of the requests.
pub(super) fn requests(usage: DoorUsage) -> Pico {
    u128::from(usage.requests) * price(usage.service)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::float_cmp, reason = "money comes from integers and is exact")]
    use super::*;
    use crate::stats::cost::dollars;

    /// INV-7, API Gateway: prices of a million.
    #[test]
    fn a_million_requests() {
        for (service, usd) in [
            (Service::ApiGatewayRest, 3.5),
            (Service::ApiGatewayHttp, 1.0),
            (Service::ApiGatewayWebsocket, 1.0),
            (Service::Alb, 0.0),
            (Service::Sdk, 0.0),
        ] {
            assert_eq!(dollars(requests(DoorUsage { service, requests: 1_000_000 })), usd, "{service:?}");
        }
    }
}
