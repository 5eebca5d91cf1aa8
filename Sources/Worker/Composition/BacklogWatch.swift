import Application
import Domain
import Operations
import Synchronization

/// Looks every few seconds how much waits in the database, for the gauges. While that cannot be told they are not shown.
final class BacklogWatch: Sendable {
  private let reader: any BacklogReader
  private let latest = Mutex<Backlog?>(nil)
  private static let pause = Duration.seconds(5)

  init(_ reader: any BacklogReader) { self.reader = reader }

  func run() async {
    while !Task.isCancelled {
      let backlog = try? await reader.backlog()
      latest.withLock { $0 = backlog }
      try? await Task.sleep(for: Self.pause)
    }
  }

  func gauges() -> [any MetricFamily] {
    [
      gauge("orders_outbox_pending", "Events and replies not yet known to be sent.") { [([], Double($0.outbox.count))] },
      gauge("orders_outbox_oldest_seconds", "Age of the oldest of them.") { [([], $0.outbox.oldest / .seconds(1))] },
      gauge("orders_payments_open", "Payments that the provider has not answered for good.") { [([], Double($0.payments.count))] },
      gauge("orders_payments_oldest_open_seconds", "Age of the oldest of them.") { [([], $0.payments.oldest / .seconds(1))] },
      gauge("orders_dead_letters_parked", "Dead letters that wait for somebody; at most 100,000 are counted.") { [([], Double($0.parked))] },
      gauge("orders_in_status", "Orders that are not at their end.") { backlog in
        backlog.inStatus.map { ([("status", $0.key.rawValue)], Double($0.value.count)) }
      },
      gauge("orders_oldest_in_status_seconds", "How long the oldest of them has had its status.") { backlog in
        backlog.inStatus.map { ([("status", $0.key.rawValue)], $0.value.oldest / .seconds(1)) }
      },
    ]
  }

  private func gauge(
    _ name: String, _ help: String, _ read: @escaping @Sendable (Backlog) -> [([(name: String, value: String)], Double)]
  ) -> any MetricFamily {
    Gauge(name, help) { self.latest.withLock { $0 }.map(read)?.map { (pairs: $0.0, value: $0.1) } ?? [] }
  }
}
