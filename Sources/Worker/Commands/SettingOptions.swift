import ArgumentParser
import Logging
import Operations

/// Lets every command take settings as flags.
struct SettingOptions: ParsableArguments {
  @Option(
    name: .customLong("set"), help: ArgumentHelp("A setting for this run, above file and environment.", valueName: "ORDERS_NAME=value", visibility: .hidden))
  var settings: [String] = []

  /// The configuration in force; what only looks like a mistake is said on standard error. With `secrets`, of those only the files are read.
  func load(secrets: Set<String>? = nil) throws -> Configuration {
    let configuration = try ConfigurationLoader.load(flags: try flags(), secrets: secrets)
    for warning in configuration.warnings { Console.complain("warning: \(warning)") }
    return configuration
  }

  func flags() throws -> [(name: String, value: String)] {
    try settings.map { text in
      guard let equals = text.firstIndex(of: "=") else { throw ValidationError("--set takes ORDERS_NAME=value, and got \"\(text)\"") }
      return (String(text[..<equals]), String(text[text.index(after: equals)...]))
    }
  }

  /// The settings as `--help` shows them.
  static let overview: String = SettingTable.groups.map { group in
    let lines = group.settings.flatMap { setting in
      let standard = setting.standard.map { ["      default: \($0)"] } ?? []
      return ["  \(setting.flag) \(setting.placeholder)", "      \(setting.help)"] + standard
    }
    return (["\(group.title.uppercased()):"] + lines).joined(separator: "\n")
  }.joined(separator: "\n\n")
}
