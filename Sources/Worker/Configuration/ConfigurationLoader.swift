/// Puts the configuration together: file < environment < flags. An empty value counts as none.
struct ConfigurationLoader {
  private struct Given {
    let text: String
    let origin: SettingOrigin
  }

  private let environment: [String: String]
  private let flags: [(name: String, value: String)]
  private let secrets: Set<String>?
  private let readFile: (String) throws(FileFault) -> [UInt8]
  private var given: [String: Given] = [:]
  private var faults: [String] = []
  private var warnings: [String] = []

  /// - Parameter secrets: names of the settings whose files are read; of all where nil. Who uses one of them only need not have the others' files.
  init(
    environment: [String: String], flags: [(name: String, value: String)] = [], secrets: Set<String>? = nil,
    readFile: @escaping (String) throws(FileFault) -> [UInt8] = WholeFile.read
  ) {
    self.environment = environment
    self.flags = flags
    self.secrets = secrets
    self.readFile = readFile
  }

  static func load(
    environment: [String: String] = ProcessEnvironment.current, flags: [(name: String, value: String)], secrets: Set<String>? = nil
  ) throws(ConfigurationFaults) -> Configuration {
    var loader = ConfigurationLoader(environment: environment, flags: flags, secrets: secrets)
    return try loader.load()
  }

  mutating func load() throws(ConfigurationFaults) -> Configuration {
    takeFile()
    takeEnvironment()
    takeFlags()
    var entries: [String: Configuration.Entry] = [:]
    for setting in SettingTable.all { entries[setting.name] = entry(setting) }
    guard faults.isEmpty else { throw ConfigurationFaults(sentences: faults) }
    return Configuration(entries: entries, warnings: warnings)
  }

  // MARK: the three sources, each above the one before

  private mutating func takeFile() {
    let name = Setting.configFile.name
    guard let path = flags.last(where: { $0.name == name })?.value ?? environment[name], !path.isEmpty else { return }
    guard let text = readText(path, for: name) else { return }
    let (lines, malformed) = ConfigurationFile.parse(text)
    faults += malformed.map { "\(path): \($0)" }
    var layer: [String: Given] = [:]
    for line in lines {
      let origin = SettingOrigin.file(path: path, line: line.number)
      if line.name == name {
        faults.append("\(path):\(line.number): \(name) cannot be set in the file itself")
      } else if !SettingTable.knownNames.contains(line.name) {
        faults.append("\(path):\(line.number): there is no setting \(line.name); \(SettingTable.nearest(to: line.name)) is the nearest")
      } else if let first = layer[line.name] {
        faults.append("\(path):\(line.number): \(line.name) is set already at \(first.origin)")
      } else {
        layer[line.name] = Given(text: line.value, origin: origin)
      }
    }
    put(layer)
  }

  private mutating func takeEnvironment() {
    var layer: [String: Given] = [:]
    for (name, value) in environment.sorted(by: { $0.key < $1.key }) where name.hasPrefix("ORDERS_") {
      if SettingTable.knownNames.contains(name) {
        layer[name] = Given(text: value, origin: .environment)
      } else {
        warnings.append("the environment's \(name) is no setting and has no effect; \(SettingTable.nearest(to: name)) is the nearest")
      }
    }
    put(layer)
  }

  private mutating func takeFlags() {
    var layer: [String: Given] = [:]
    for (name, value) in flags {
      if SettingTable.knownNames.contains(name) {
        layer[name] = Given(text: value, origin: .flag)
      } else {
        faults.append("there is no setting \(name); \(SettingTable.nearest(to: name)) is the nearest")
      }
    }
    put(layer)
  }

  /// Lays one source over those before it. A secret and the name of its file are two ways to set one thing.
  private mutating func put(_ layer: [String: Given]) {
    let layer = layer.filter { !$0.value.text.isEmpty }
    for setting in SettingTable.all {
      let direct = layer[setting.name]
      let byFile = setting.fileForm.flatMap { layer[$0] }
      switch (direct, byFile) {
      case (nil, nil): continue
      case (let direct?, nil): given[setting.name] = direct
      case (nil, let byFile?):
        guard secrets?.contains(setting.name) ?? true, var text = readText(byFile.text, for: setting.name + "_FILE") else { continue }
        if text.hasSuffix("\r\n") || text.hasSuffix("\n") { text.removeLast() }
        if text.isEmpty { faults.append("\(setting.name)_FILE: \(byFile.text) is empty") }
        given[setting.name] = Given(text: text, origin: .secretFile(path: byFile.text, named: byFile.origin))
      case (let direct?, _?): faults.append("\(setting.name) and \(setting.name)_FILE are both set (\(direct.origin)); one of them is enough")
      }
    }
  }

  private mutating func readText(_ path: String, for name: String) -> String? {
    do {
      let bytes = try readFile(path)
      if let text = String(validating: bytes, as: UTF8.self) { return text }
      faults.append("\(name): \(path) is not text in UTF-8")
    } catch {
      faults.append("\(name): \(path) cannot be read: \(error.reason)")
    }
    return nil
  }

  // MARK: values

  private mutating func entry(_ setting: any AnySetting) -> Configuration.Entry? {
    let given = given[setting.name]
    do {
      return Configuration.Entry(text: given?.text ?? setting.standard, origin: given?.origin ?? .standard, value: try setting.value(of: given?.text))
    } catch {
      let origin = given?.origin ?? .standard
      // What may be a secret is not shown.
      let mistaken = setting.masking == .none ? " is \"\(given?.text ?? "")\" by \(origin), and should be" : ", set by \(origin), should be"
      let detail = error.detail.map { " (\($0))" } ?? ""
      faults.append("\(setting.name)\(mistaken) \(setting.expectation)\(detail)")
      return nil
    }
  }
}
