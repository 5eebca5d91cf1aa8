@testable import order_worker

/// The configuration file: lines are read as they are written, and what may be a secret is in no sentence.
enum ConfigurationTarget {
  static func run(_ input: [UInt8]) {
    if let text = String(validating: input, as: UTF8.self) { file(text) }
    var loader = ConfigurationLoader(environment: [Setting.configFile.name: "file"]) { path throws(FileFault) in
      if path == "file" { return input }
      if path.isEmpty || path.utf8.contains(0) { throw FileFault(reason: "there is no such file") }
      return Array("of a file\n".utf8)
    }
    do throws(ConfigurationFaults) {
      let configuration = try loader.load()
      for setting in SettingTable.all {
        guard let text = configuration.entry(of: setting).text else { continue }
        let shown = setting.masked(text)
        expect(setting.masking != .whole || !shown.contains(text), "a secret is shown")
        expect(setting.masked(shown).utf8.count <= 2 * shown.utf8.count + 16, "masking grows")
      }
    } catch {
      expect(!error.sentences.isEmpty && error.sentences.allSatisfy { !$0.isEmpty }, "a configuration is refused without a word")
    }
  }

  private static func file(_ text: String) {
    let (lines, faults) = ConfigurationFile.parse(text)
    expect(faults.count + lines.count <= text.utf8.count + 1, "there are more lines than bytes")
    var written = ""
    for line in lines {
      let value = line.value.flatMap { $0 == "\"" || $0 == "\\" ? ["\\", $0] : [$0] }
      written += "\(line.name)=\"\(String(value))\" # \(line.number)\n"
    }
    let again = ConfigurationFile.parse(written)
    expect(again.faults.isEmpty, "what was written cannot be read: \(again.faults)")
    expect(again.lines.map(\.name) == lines.map(\.name) && again.lines.map(\.value) == lines.map(\.value), "what was written is read as something else")
  }
}
