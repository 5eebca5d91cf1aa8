import Application
import Domain
import Operations

extension WorkerMetrics {
  /// Shows every label that there can be from the start, as 0, so that the first event is seen as a rise.
  func begin(defaultCurrency: Currency, hasCache: Bool) {
    for type in CommandType.allCases { commands.begin(OutcomeWord.allCases.map { .init(type: type.rawValue, outcome: $0.rawValue) }) }
    for histogram in [commandDuration, commandAge] { histogram.begin(CommandType.allCases.map { .init("type", $0.rawValue) }) }
    batchSize.begin([NoLabels()])
    forwardsRefused.begin([NoLabels()])
    commands.begin([.init(type: "other", outcome: OutcomeWord.deadLettered.rawValue)])
    events.begin(EventType.allCases.map { .init("type", $0.rawValue) })
    retries.begin(["fault", "early", "payment_open"].map { .init("reason", $0) })
    deadLetters.begin(DeadLetterReason.allCases.map { .init("reason", $0.rawValue) })
    revenue.begin([.init("currency", defaultCurrency.code)])
    if hasCache { cacheRequests.begin(["hit", "miss"].map { .init("result", $0) }) }
    for counter in [sent, consumed] { counter.begin([.init("messaging_system", "rabbitmq")]) }
  }
}
