import ClientRuntime
import RabbitMQClient

/// What is to be said of settings that are right each by itself, and unwise together.
enum ConfigurationJudge {
  static func judge(_ configuration: Configuration) -> [Finding] {
    var list = FindingList(.configuration)
    for warning in configuration.warnings { list.warning("settings", warning, mend: "correct its name, or take it away") }
    judgeWork(configuration, &list)
    judgeRights(configuration, &list)
    for sentence in TransportExposure.sentences(configuration) {
      list.warning("encryption", sentence, mend: "docs/tls.md says how")
    }
    if list.all.isEmpty { list.ok("settings", "nothing in them is wrong or unwise") }
    return list.all
  }

  private static func judgeWork(_ configuration: Configuration, _ list: inout FindingList) {
    let (prefetch, batch) = (configuration[.prefetch], configuration[.batchMax])
    if prefetch < batch {
      list.warning(
        "prefetch", "ORDERS_PREFETCH (\(prefetch)) is less than ORDERS_BATCH_MAX (\(batch)): batches never get full, and stages wait for each other",
        mend: "set ORDERS_PREFETCH to \(4 * batch), four batches, or ORDERS_BATCH_MAX to less")
    }
    let (drain, payment) = (configuration[.drainTimeout], configuration[.paymentTimeout])
    if configuration[.paymentProvider] != .none, drain <= payment {
      list.warning(
        "drain timeout",
        "ORDERS_DRAIN_TIMEOUT (\(DurationText.format(drain))) leaves no time for a payment under way, which may take ORDERS_PAYMENT_TIMEOUT (\(DurationText.format(payment)))",
        mend: "set ORDERS_DRAIN_TIMEOUT to more, and what stops the worker (terminationGracePeriodSeconds, TimeoutStopSec) to more still")
    }
    if configuration[.paymentGiveUp] < payment {
      list.warning(
        "payment times", "ORDERS_PAYMENT_GIVE_UP is shorter than ORDERS_PAYMENT_TIMEOUT: a payment without effect is never tried again",
        mend: "set ORDERS_PAYMENT_GIVE_UP to minutes; 10m is the default")
    }
    if configuration[.reservationTTL] < .seconds(60) {
      list.warning(
        "reservation time",
        "ORDERS_RESERVATION_TTL is \(DurationText.format(configuration[.reservationTTL])): orders expire while their payment is still being tried",
        mend: "set it to minutes; 15m is the default")
    }
    if configuration[.environment] == .production, configuration[.paymentProvider] == .none {
      list.warning(
        "payment provider", "ORDERS_PAYMENT_PROVIDER is none in production: no order above zero can be confirmed",
        mend: "set it to http, and ORDERS_PAYMENT_URL")
    }
  }

  private static func judgeRights(_ configuration: Configuration, _ list: inout FindingList) {
    let remote = remoteHosts(configuration)
    guard let first = remote.first else { return }
    if configuration[.auth] == .off {
      list.warning(
        "rights", "ORDERS_AUTH is off, and RabbitMQ is on another machine (\(first)): whoever can publish there has all rights",
        mend: "set ORDERS_AUTH=required with keys, as docs/security.md says, and ORDERS_ENV=production, which insists on it")
    }
    if configuration[.amqpURL].contains("guest:guest@") {
      list.warning(
        "rights", "ORDERS_AMQP_URL has RabbitMQ's well-known password of guest",
        mend: "make a user for the worker, as docs/deployment.md says, and delete guest")
    }
  }

  private static func remoteHosts(_ configuration: Configuration) -> [String] {
    // An address that cannot be read is refused before this.
    ((try? ConnectionConfiguration(url: configuration[.amqpURL], name: ""))?.hosts.map(\.name) ?? []).filter { !HostLookup.isLocal($0) }
  }
}
