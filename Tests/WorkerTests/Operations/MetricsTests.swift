import Application
import Domain
import Logging
import Operations
import Testing

@testable import order_worker

private func finished(_ took: Duration...) -> FinishedCommands {
  var finished = FinishedCommands()
  for took in took { finished.add(took: took, age: nil) }
  return finished
}

@Suite struct MetricsTests {
  private struct Silent: PipelineJournal { func note(_ note: PipelineNote) {} }

  private static func lines(_ metrics: WorkerMetrics) -> Set<String> { Set(metrics.text().split(separator: "\n").map(String.init)) }

  @Test(arguments: [
    (PipelineNote.answered(type: .create, outcome: .accepted, count: 3), #"orders_commands_total{type="order.create",outcome="accepted"} 3"#),
    (.answered(type: .updateStatus, outcome: .duplicate, count: 1), #"orders_commands_total{type="order.update_status",outcome="duplicate"} 1"#),
    (
      .deadLettered(CommandReference(), type: nil, reason: .malformed, error: "e"), #"orders_commands_total{type="other",outcome="dead_lettered"} 1"#
    ),
    (.deadLettered(CommandReference(), type: .create, reason: .invalid, error: "e"), #"orders_dead_letters_total{reason="invalid"} 1"#),
    (.waits(count: 3, reason: "early"), #"orders_retries_total{reason="early"} 3"#),
    (.retried(CommandReference(messageID: "m"), rung: .oneSecond, attempt: 4, error: "e"), #"orders_retries_total{reason="fault"} 1"#),
    (.notForwarded(count: 3, error: "e"), "orders_forwards_refused_total 3"),
    (.eventsPublished(type: .created, count: 2), #"orders_events_published_total{type="order.created"} 2"#),
    (.captured(Money(minorUnits: 5_998, currency: Currency("USD")!)), #"orders_revenue_minor_total{currency="USD"} 5998"#),
    (.batch(size: 20), #"orders_batch_size_bucket{le="20.0"} 1"#),
    (.finished(type: .create, finished(.milliseconds(30))), #"orders_command_duration_seconds_bucket{type="order.create",le="0.05"} 1"#),
  ])
  func whatThePipelineTellsIsCounted(note: PipelineNote, line: String) {
    let metrics = WorkerMetrics()
    MeteringJournal(next: Silent(), metrics: metrics).note(note)
    #expect(Self.lines(metrics).contains(line), "\(metrics.text())")
  }

  @Test func aHistogramsBucketsAddUpToItsCount() {
    let histogram = Histogram<NoLabels>("h", "help", bounds: [1, 2])
    for value in [0.5, 1, 1.5, 9] { histogram.record(value, NoLabels()) }
    var text = MetricText()
    histogram.write(to: &text)
    #expect(
      text.text == """
        # HELP h help
        # TYPE h histogram
        h_bucket{le="1.0"} 2
        h_bucket{le="2.0"} 3
        h_bucket{le="+Inf"} 4
        h_sum 12
        h_count 4

        """)
  }

  @Test func countersFromManyThreadsLoseNothing() async {
    let counter = Counter<NoLabels>("c", "help")
    await withTaskGroup { group in
      for _ in 0..<8 { group.addTask { for _ in 0..<1_000 { counter.add(1, NoLabels()) } } }
    }
    var text = MetricText()
    counter.write(to: &text)
    #expect(text.text.hasSuffix("c 8000\n"))
  }

  @Test func everyFamilyIsDeclaredOnce() {
    let metrics = WorkerMetrics()
    metrics.add(ProcessMetrics.families() + [HealthRegistry().upGauge])
    let declared = metrics.text().split(separator: "\n").filter { $0.hasPrefix("# TYPE ") }
    #expect(Set(declared).count == declared.count && declared.count > 14)
    #expect(metrics.text().contains("\norders_dependency_up{name=\"postgres\"} 0\n"))
    #expect(metrics.text().contains(/process_resident_memory_bytes [1-9]/))
  }

  @Test func whatEveryCommandTookIsShownOfAllOfThemToo() {
    let metrics = WorkerMetrics()
    let journal = MeteringJournal(next: Silent(), metrics: metrics)
    let labels = #"messaging_operation_name="process",messaging_system="rabbitmq""#
    #expect(Self.lines(metrics).contains("messaging_process_duration_seconds_count{\(labels)} 0"))
    journal.note(.finished(type: .create, finished(.milliseconds(30), .seconds(90))))
    journal.note(.finished(type: .updateStatus, finished(.milliseconds(30))))
    let lines = Self.lines(metrics)
    #expect(lines.contains(#"messaging_process_duration_seconds_bucket{\#(labels),le="0.05"} 2"#), "\(metrics.text())")
    #expect(lines.contains("messaging_process_duration_seconds_count{\(labels)} 3"))
  }

  @Test func processorTimeOnlyRises() {
    let metrics = WorkerMetrics()
    metrics.add(ProcessMetrics.families())
    #expect(metrics.text().contains("# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total "))
  }

  @Test func aProvidersBreakerIsToldBeforeItEverOpened() async throws {
    let metrics = WorkerMetrics()
    let environment = ["ORDERS_PAYMENT_PROVIDER": "http", "ORDERS_PAYMENT_URL": "http://127.0.0.1:1", "ORDERS_AUTH": "off"]
    var loader = ConfigurationLoader(environment: environment, flags: []) { _ throws(FileFault) in throw FileFault(reason: "none") }
    let settings = try WorkerSettings(loader.load())
    let payments = try PaymentComposition.make(
      settings, health: HealthRegistry(), log: Logger(label: "tests"), observer: MeteringAdapterObserver(metrics: metrics))
    await payments?.close()
    #expect(Self.lines(metrics).contains(#"orders_adapter_breaker_state{adapter="payment"} 0"#), "\(metrics.text())")
  }
}
