import ArgumentParser
import Glibc

struct DoctorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Find what is wrong in a set-up, and how to mend it.",
    discussion: """
      Asks every server what it is and whether it is set up as the worker needs it, all at once, and waits 15 s at most. It changes nothing, but for a \
      key of its own in Redis that lives a second. Run it with the settings of the worker. Exit code 1 where there is a problem.

        order-worker doctor
        order-worker doctor --strict          exit code 1 for warnings, too
        order-worker doctor --json
        order-worker doctor --amqp-management-url http://monitor:secret@rabbit-1:15672

      Policies, bindings, feature flags and alarms of RabbitMQ are known to its management API only: without ORDERS_AMQP_MANAGEMENT_URL they are \
      "not checked".
      """)

  @Flag(help: "Exit with 1 for warnings, too.")
  var strict = false

  @Flag(help: "Print JSON.")
  var json = false

  @OptionGroup var settings: SettingOptions

  func run() async throws {
    // Not settings.load(): its warnings are findings here.
    let configuration = try ConfigurationLoader.load(flags: try settings.flags())
    try RunRules.check(configuration)
    let report = DoctorReport(await Checkup(configuration).findings())
    let isColoured = isatty(STDOUT_FILENO) == 1 && getenv("NO_COLOR") == nil
    Console.print(json ? report.json : report.text(width: Terminal.columns, isColoured: isColoured))
    if report.isBad(strict: strict) { throw CommandFailure(sentences: []) }
  }
}
