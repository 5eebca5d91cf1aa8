import Synchronization

/// Everything that `/metrics` shows of this process.
package final class WorkerMetrics: Sendable {
  package struct TypeAndOutcome: MetricLabels {
    let type: String
    let outcome: String
    package init(type: String, outcome: String) {
      self.type = type
      self.outcome = outcome
    }
    package var pairs: [(name: String, value: String)] { [("type", type), ("outcome", outcome)] }
  }

  /// One label, of the name that its metric gives it.
  package struct Word: MetricLabels {
    let name: String
    let value: String
    package init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
    package var pairs: [(name: String, value: String)] { [(name, value)] }
  }

  package struct AdapterCall: MetricLabels {
    let adapter: String
    let operation: String
    let outcome: String
    package init(adapter: String, operation: String, outcome: String) {
      self.adapter = adapter
      self.operation = operation
      self.outcome = outcome
    }
    package var pairs: [(name: String, value: String)] { [("adapter", adapter), ("operation", operation), ("outcome", outcome)] }
  }

  package let commands = Counter<TypeAndOutcome>("orders_commands_total", "Commands by how they ended.")
  package let commandDuration = Histogram<Word>(
    "orders_command_duration_seconds", "From delivery to acknowledgement.", bounds: Histogram<Word>.durations)
  package let commandAge = Histogram<Word>(
    "orders_command_age_seconds", "From the sender's own time to acknowledgement, of commands that carry one.",
    bounds: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600])
  package let batchSize = Histogram<NoLabels>(
    "orders_batch_size", "Commands in one transaction.", bounds: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000])
  package let events = Counter<Word>("orders_events_published_total", "Events that RabbitMQ confirmed.")
  package let retries = Counter<Word>("orders_retries_total", "Commands sent up the retry ladder.")
  package let forwardsRefused = Counter<NoLabels>(
    "orders_forwards_refused_total", "Retries and dead letters that RabbitMQ did not take, each time it did not; they are tried again.")
  package let deadLetters = Counter<Word>("orders_dead_letters_total", "Commands dead-lettered by this process.")
  package let revenue = Counter<Word>("orders_revenue_minor_total", "Minor units captured by this process.")
  package let cacheRequests = Counter<Word>("orders_cache_requests_total", "Looks into the cache.")
  package let adapterDuration = Histogram<AdapterCall>(
    "orders_adapter_duration_seconds", "Calls to providers outside.", bounds: Histogram<AdapterCall>.durations)
  package let sent = Counter<Word>("messaging_client_sent_messages_total", "Messages published.")
  package let consumed = Counter<Word>("messaging_client_consumed_messages_total", "Messages delivered.")
  private let breakers = Mutex<[String: Int]>([:])
  private let looked = Mutex<[any MetricFamily]>([])

  package init() {}

  /// 0 closed, 1 half open, 2 open.
  package func setBreaker(_ adapter: String, _ state: Int) { breakers.withLock { $0[adapter] = state } }

  /// Adds what is looked up at each scrape.
  package func add(_ families: [any MetricFamily]) { looked.withLock { $0 += families } }

  package func text(_ format: MetricText.Format = .prometheus) -> String {
    let breaker = Gauge("orders_adapter_breaker_state", "0 closed, 1 half open, 2 open.") { [breakers = breakers.withLock { $0 }] in
      breakers.map { (pairs: [("adapter", $0.key)], value: Double($0.value)) }
    }
    let process = commandDuration.total(
      "messaging_process_duration_seconds", "From delivery to acknowledgement, of all commands.",
      [("messaging_operation_name", "process"), ("messaging_system", "rabbitmq")])
    let own: [any MetricFamily] = [
      commands, commandDuration, commandAge, batchSize, events, retries, forwardsRefused, deadLetters, revenue, cacheRequests, adapterDuration,
      breaker, sent, consumed, process,
    ]
    var text = MetricText(format)
    for family in own + looked.withLock({ $0 }) { family.write(to: &text) }
    text.end()
    return text.text
  }
}
