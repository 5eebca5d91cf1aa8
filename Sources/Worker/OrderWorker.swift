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
    } catch let faults as ConfigurationFaults {
      for sentence in faults.sentences { Console.complain(sentence) }
      exit(ProgramExit.wrongConfiguration)
    } catch let failure as CommandFailure {
      for sentence in failure.sentences { Console.complain(sentence) }
      exit(ProgramExit.failed)
    } catch let missing as MissingFlagValue {
      RootCommand.exit(withError: ValidationError("Missing value for '\(missing.flag)'"))
    } catch {
      RootCommand.exit(withError: error)
    }
  }
}

/// What the program's exit codes mean; 64 (`EX_USAGE`), wrong usage, comes from the parser.
enum ProgramExit {
  static let failed: Int32 = 1
  static let wrongConfiguration: Int32 = 78  // EX_CONFIG
}

/// A command could not do what it was asked to.
struct CommandFailure: Error, Equatable {
  let sentences: [String]

  init(_ sentence: String) { sentences = [sentence] }
  init(sentences: [String]) { self.sentences = sentences }
}
