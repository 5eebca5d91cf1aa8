import Application
import ArgumentParser
import ClientRuntime
import Domain
import JSONAdapter
import Operations
import RabbitMQAdapter
import RabbitMQClient

struct DeadLettersReplayCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Send dead letters back to the commands.",
    discussion: """
      Each goes with its own message id and under the rights of who sent it first, so that it takes effect once whatever happens. A fault is tried again in \
      place only, and a letter that fails again is back in the list. An interrupted replay goes on where it stopped when it is called again; \
      one that another terminal replays is left to that.

        order-worker dead-letters replay --reason retries_exhausted --dry-run
        order-worker dead-letters replay 3f5f020c --edit '[{"op":"replace","path":"/currency","value":"EUR"}]'
        order-worker dead-letters replay --reason retries_exhausted --error "is refused" --ramp --rate 200
        order-worker dead-letters replay --all --rate 50 --abort-above 20
      """)

  @OptionGroup var selection: DeadLetterSelectionOptions
  @Option(help: ArgumentHelp("So many a second at most; with --ramp in the end.", valueName: "N/s"), transform: Self.rate) var rate: Double?
  @Flag(help: "Begin with 1, then 10, then 100 a second, each step after the one before has ended; stop by itself where they fail again.") var ramp = false
  @Option(help: ArgumentHelp("Stop where more of a hundred fail again. (default: 10 with --ramp, else never)", valueName: "PCT")) var abortAbove: Double?
  @Flag(help: "Replay those of unverified senders under your own rights.") var asMe = false
  @Flag(help: "Replay those whose token had only expired with the rights that it gave.") var acceptExpired = false
  @Flag(help: "Only tell what a replay would come to, by the orders as they are now.") var dryRun = false
  @Option(
    help: ArgumentHelp("Change each body before it goes: a JSON Patch (RFC 6902), or the name of a file with one. The message id stays.", valueName: "PATCH"))
  var edit: String?
  @OptionGroup var options: DeadLetterOptions

  static func rate(_ text: String) throws -> Double {
    guard let rate = Double(text.hasSuffix("/s") ? String(text.dropLast(2)) : text), rate > 0, rate.isFinite else {
      throw ValidationError("--rate takes a number above 0, such as 50 or 50/s.")
    }
    return rate
  }

  func validate() throws {
    if dryRun && (ramp || rate != nil || abortAbove != nil) {
      throw ValidationError("--dry-run sends nothing: it goes without --rate, --ramp and --abort-above.")
    }
    if let abortAbove, !(0..<100).contains(abortAbove) { throw ValidationError("--abort-above must be from 0 to below 100.") }
  }

  private func settings(_ caller: Principal) throws -> DeadLetterReplay.Settings {
    var settings = DeadLetterReplay.Settings(actor: caller.subject)
    settings.standIn = asMe ? caller : nil
    settings.acceptsExpired = acceptExpired
    settings.pace = ramp ? .ramp(to: rate ?? 500) : rate.map { .rate($0) } ?? .unlimited
    settings.edit = try edit.map(Self.edit)
    settings.abortAbove = abortAbove ?? (ramp ? 10 : nil)
    return settings
  }

  private static func edit(_ argument: String) throws -> DeadLetterEdit {
    do {
      let isPatch = argument.utf8.first { $0 != 0x20 && $0 != 0x0A } == UInt8(ascii: "[")
      let patch = try JSONPatch(isPatch ? Array(argument.utf8) : try WholeFile.readOrStandardInput(argument))
      return DeadLetterEdit(summary: patch.summary) { body throws(DeadLetterReplay.Obstacle) in
        do throws(JSONPatchFault) {
          return try patch.apply(to: body)
        } catch {
          throw DeadLetterReplay.Obstacle(why: error.sentence)
        }
      }
    } catch let fault as JSONPatchFault {
      throw CommandFailure("--edit: \(fault.sentence)")
    } catch let fault as FileFault {
      throw CommandFailure("--edit: \(argument) cannot be read: \(fault.reason)")
    }
  }

  func run() async throws {
    let (configuration, caller) = try await options.begin("replay")
    let settings = try settings(caller)
    if dryRun { return try await DryRun(selection: selection, options: options, settings: settings).run(configuration) }
    let output = ReplayOutput(json: options.json)
    let work = Task { try await replay(configuration, settings, output) }
    // The first signal ends it after what is in hand; a second one at once.
    let stopping = Task {
      let signals = ShutdownSignals()
      _ = await signals.wait()
      work.cancel()
    }
    defer { stopping.cancel() }
    let report: DeadLetterReplay.Report
    do {
      report = try await work.value
    } catch let failure as CommandFailure {
      guard output.finishWithWhatIsKnown() else { throw failure }
      throw CommandFailure("stopped: \(failure.sentences.joined(separator: "; ")): call it again to go on")
    }
    output.finish(report)
    if let aborted = report.aborted { throw CommandFailure("stopped: \(aborted)") }
    if work.isCancelled { throw CommandFailure("interrupted: call it again to go on") }
    if report.failed > 0 || report.replayed == 0 && report.skipped > 0 {
      throw CommandFailure("\(report.failed) failed and \(report.skipped) were skipped")
    }
  }

  private func replay(
    _ configuration: Configuration, _ settings: DeadLetterReplay.Settings, _ output: ReplayOutput
  ) async throws -> DeadLetterReplay.Report {
    let (selection, options) = (selection, options)
    let publisher = Publisher(configuration: try SetupBroker.connection(configuration, purpose: "replay"))
    let result: Result<DeadLetterReplay.Report, any Error>
    do {
      result = .success(
        try await options.withStore(configuration, byPages: true) { store in
          let letters = try await selection.selection(options, store, states: [.parked, .replaying])
          let replay = DeadLetterReplay(
            ports: .init(
              store: store, codec: try DeadLetterOptions.codec(configuration),
              forwarder: RabbitMQForwarder(publisher: publisher), now: { .now }),
            settings: settings, onNote: { output.note($0) }, onProgress: { output.progress($0) })
          return try await replay.run(letters)
        })
    } catch {
      result = .failure(error)
    }
    await publisher.close()
    return try result.get()
  }
}
