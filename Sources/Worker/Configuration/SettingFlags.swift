/// Gives every setting a flag: `--prefetch 5` is `--set ORDERS_PREFETCH=5`.
enum SettingFlags {
  private static let names: [String: String] = {
    var names: [String: String] = [:]
    for setting in SettingTable.all {
      names[setting.flag] = setting.name
      if let fileForm = setting.fileForm { names[setting.flag + "-file"] = fileForm }
    }
    return names
  }()

  /// What the parser gets.
  static func expand(_ arguments: [String]) throws(MissingFlagValue) -> [String] {
    var expanded: [String] = []
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      if argument == "--" { return expanded + [argument] + rest }
      let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard let name = names[String(parts[0])] else {
        expanded.append(argument)
        continue
      }
      if parts.count == 2 {
        expanded += ["--set", "\(name)=\(parts[1])"]
      } else if let value = rest.popFirst() {
        expanded += ["--set", "\(name)=\(value)"]
      } else {
        throw MissingFlagValue(flag: argument)
      }
    }
    return expanded
  }
}

/// A flag that ends the command line where its value should be.
struct MissingFlagValue: Error, Equatable {
  let flag: String
}
