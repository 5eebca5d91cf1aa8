import Domain
import FoundationEssentials

extension Timestamp {
  /// What the system's clock says. For logs and health only: decisions go by the database's clock.
  ///
  /// By `Date`, not by `timespec`: which module that belongs to depends, beside SwiftNIO, on the order in which the compiler meets them.
  package static var now: Timestamp { Timestamp(microseconds: Int64(Date().timeIntervalSince1970 * 1_000_000)) }
}
