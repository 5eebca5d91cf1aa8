import Operations

/// What `run --print-config` prints: each setting, its value and where that came from, secrets and passwords masked.
struct ConfigurationReport {
  struct Row: Equatable {
    let name: String
    /// Nil where there is none.
    let value: String?
    let source: String
  }

  let rows: [Row]

  init(_ configuration: Configuration) {
    rows = SettingTable.all.map { setting in
      let entry = configuration.entry(of: setting)
      return Row(name: setting.name, value: entry.text.map(setting.masked), source: entry.origin.description)
    }
  }

  var table: String {
    TextTable(columns: [.left("SETTING"), .left("VALUE"), .left("FROM")], rows: rows.map { [$0.name, $0.value ?? "-", $0.source] }).text
  }

  var json: String {
    var json = JSONText(capacity: 4_096)
    json.object { json in
      json.name("settings")
      json.array(rows) { json, row in
        json.object { json in
          json.member("name", row.name)
          if let value = row.value { json.member("value", value) } else { json.null("value") }
          json.member("source", row.source)
        }
      }
    }
    return json.text
  }
}
