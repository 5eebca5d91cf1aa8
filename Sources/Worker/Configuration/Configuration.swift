/// The settings in force, each with its value and where that came from.
struct Configuration: Sendable {
  struct Entry: Sendable {
    /// As it was written, or the standard; nil where there is neither.
    let text: String?
    let origin: SettingOrigin
    fileprivate let value: any Sendable

    init(text: String?, origin: SettingOrigin, value: any Sendable) {
      self.text = text
      self.origin = origin
      self.value = value
    }
  }

  private let entries: [String: Entry]
  /// Sentences about what looks like a mistake but stops nothing.
  let warnings: [String]

  init(entries: [String: Entry], warnings: [String]) {
    self.entries = entries
    self.warnings = warnings
  }

  subscript<Value>(_ setting: Setting<Value>) -> Value {
    entries[setting.name]!.value as! Value  // the loader made an entry of this type for each setting of the table
  }

  func entry(of setting: some AnySetting) -> Entry { entries[setting.name]! }  // as above
}

/// Where a value came from.
enum SettingOrigin: Sendable, Hashable, CustomStringConvertible {
  case standard
  case file(path: String, line: Int)
  case environment
  case flag
  /// A file that holds the one value, and where its path came from.
  indirect case secretFile(path: String, named: SettingOrigin)

  var description: String {
    switch self {
    case .standard: "default"
    case .file(let path, let line): "\(path):\(line)"
    case .environment: "environment"
    case .flag: "flag"
    case .secretFile(let path, let origin): "\(path), named by \(origin)"
    }
  }
}

/// Everything that is wrong with the configuration, a sentence each. The program ends with 78 (`EX_CONFIG`).
struct ConfigurationFaults: Error, Equatable {
  let sentences: [String]
}
