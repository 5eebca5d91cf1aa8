import ArgumentParser
import Glibc

/// The program: reads the command line, runs the command, and turns every failure into a sentence and an exit code.
@main
struct OrderWorker {
  static func main() async {
    // A broken pipe is an error of the write that met it.
    signal(SIGPIPE, SIG_IGN)
    do {
      try RootCommand.refuseUnknown(CommandLine.arguments.dropFirst().first)
      var command = try await RootCommand.asyncParseAsRoot(try SettingFlags.expand(Array(CommandLine.arguments.dropFirst())))
      if var command = command as? any AsyncParsableCommand { try await command.run() } else { try command.run() }
      ProgramExit.leave(ProgramExit.done)
    } catch let faults as ConfigurationFaults {
      for sentence in faults.sentences { Console.complain(sentence) }
      ProgramExit.leave(ProgramExit.wrongConfiguration)
    } catch let failure as CommandFailure {
      for sentence in failure.sentences { Console.complain(sentence) }
      ProgramExit.leave(ProgramExit.failed)
    } catch let missing as MissingFlagValue {
      ProgramExit.leave(saying: ValidationError("Missing value for '\(missing.flag)'"))
    } catch {
      ProgramExit.leave(saying: error)
    }
  }
}

/// What the program's exit codes mean; 64 (`EX_USAGE`), wrong usage, comes from the parser.
enum ProgramExit {
  static let done: Int32 = 0
  static let failed: Int32 = 1
  static let wrongConfiguration: Int32 = 78  // EX_CONFIG

  /// Ends the process, and is the only way to. C's `exit` would run the exit handlers of libraries (Kerberos and OpenSSL below libpq) under the feet
  /// of client threads that still call them, which now and then ends in SIGABRT instead of the code.
  static func leave(_ code: Int32) -> Never {
    fflush(nil)
    _exit(code)
  }

  /// Ends as the parser would with this error: help and versions on standard output with 0, complaints on standard error.
  static func leave(saying error: any Error) -> Never {
    let code = RootCommand.exitCode(for: error).rawValue
    let message = RootCommand.fullMessage(for: error)
    if !message.isEmpty {
      if code == done { Console.print(message) } else { Console.print(complaint: message) }
    }
    leave(code)
  }
}

/// A command could not do what it was asked to.
struct CommandFailure: Error, Equatable {
  let sentences: [String]

  init(_ sentence: String) { sentences = [sentence] }
  init(sentences: [String]) { self.sentences = sentences }
}
