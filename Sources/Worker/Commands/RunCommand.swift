import ArgumentParser
import Glibc
import Logging
import Operations

struct RunCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Run the worker until SIGTERM or SIGINT.",
    discussion: """
      Takes commands from RabbitMQ until it is told to stop; then finishes what is in hand and ends with 0. A second signal ends it at once. \
      Where tables or queues are missing it stays unready, says so, and looks again: `order-worker setup` makes them.

      Logs are lines of JSON on standard error. /health/live and /health/ready are served at ORDERS_HTTP_HOST and ORDERS_HTTP_PORT.

        order-worker run --jwt-jwks-url https://login.example.com/jwks.json --signing-key-file sealing.json
        order-worker run --config-file worker.env --log-level debug
        order-worker run --roles outbox,housekeeping
        order-worker run --print-config

      Each setting is a flag as below, a variable (--prefetch is ORDERS_PREFETCH), or a line ORDERS_NAME=value of the file that ORDERS_CONFIG_FILE \
      names: flags count more than the environment, and that more than the file. A secret can be read from a file, too: ORDERS_…_FILE names it. \
      Times are 250ms, 10s, 15m or 2h.

      \(SettingOptions.overview)
      """)

  @Flag(help: "Show what is in force and where each value came from, and end. Secrets are masked.")
  var printConfig = false

  @Flag(help: "With --print-config: as JSON.")
  var json = false

  @OptionGroup var settings: SettingOptions

  func validate() throws {
    if json && !printConfig { throw ValidationError("--json goes with --print-config") }
  }

  func run() async throws {
    let configuration = try ConfigurationLoader.load(flags: try settings.flags())
    if printConfig {
      for warning in configuration.warnings { Console.complain("warning: \(warning)") }
      let report = ConfigurationReport(configuration)
      Console.print(json ? report.json : report.table)
      return
    }
    try RunRules.check(configuration)
    let (levels, throttle) = (LogLevelSwitch(configuration[.logLevel]), LogThrottle())
    OperatorServer.limitThreads()
    JSONLogHandler.bootstrap(levels: levels, throttle: throttle)
    ProgramExit.leave(await WorkerRun(configuration, levels: levels, throttle: throttle).run())
  }
}

/// What must hold before a worker may start, beyond each value by itself.
enum RunRules {
  static func check(_ configuration: Configuration) throws(ConfigurationFaults) {
    try AuthRules.check(configuration)
    try PaymentRules.check(configuration)
    _ = try TraceRules.headers(configuration[.otlpHeaders])
    // Working with another stock than the one that was asked for would sell what is not there.
    if configuration[.inventoryProvider] != .builtin {
      throw ConfigurationFaults(sentences: [
        "ORDERS_INVENTORY_PROVIDER is \(configuration[.inventoryProvider].rawValue), and this version has the built-in inventory only: builtin"
      ])
    }
  }
}
