import Logging
import Testing

@testable import order_worker

@Suite struct ConfigurationLoaderTests {
  /// Files by path, in memory.
  private static func load(
    _ environment: [String: String] = [:], flags: [(name: String, value: String)] = [], secrets: Set<String>? = nil, files: [String: String] = [:]
  ) throws(ConfigurationFaults) -> Configuration {
    var loader = ConfigurationLoader(environment: environment, flags: flags, secrets: secrets) { path throws(FileFault) in
      guard let text = files[path] else { throw FileFault(reason: "No such file or directory") }
      return Array(text.utf8)
    }
    return try loader.load()
  }

  private static func faults(
    _ environment: [String: String] = [:], flags: [(name: String, value: String)] = [], files: [String: String] = [:]
  ) -> [String] {
    do throws(ConfigurationFaults) {
      _ = try load(environment, flags: flags, files: files)
      return []
    } catch {
      return error.sentences
    }
  }

  @Test func everythingHasAValueWhereNothingIsSet() throws {
    let configuration = try Self.load()
    #expect(configuration[.prefetch] == 2_000)
    #expect(configuration[.batchMax] == 500)
    #expect(configuration[.httpPort] == 8_080)
    #expect(configuration[.redisURL] == nil)
    #expect(configuration[.auth] == .required)
    #expect(configuration[.logLevel] == .info)
    #expect(configuration[.drainTimeout] == .seconds(25))
    #expect(configuration[.roles] == WorkerRole.allCases)
    for setting in SettingTable.all { #expect(configuration.entry(of: setting).origin == .standard) }
    #expect(configuration.warnings.isEmpty)
  }

  @Test func flagsBeatTheEnvironmentAndThatBeatsTheFile() throws {
    let file = "ORDERS_PREFETCH=1\nORDERS_BATCH_MAX=1\nORDERS_HTTP_PORT=1\n"
    let configuration = try Self.load(
      ["ORDERS_CONFIG_FILE": "f", "ORDERS_BATCH_MAX": "2", "ORDERS_HTTP_PORT": "2"], flags: [("ORDERS_HTTP_PORT", "3")], files: ["f": file])
    #expect(configuration[.prefetch] == 1)
    #expect(configuration.entry(of: Setting.prefetch).origin == .file(path: "f", line: 1))
    #expect(configuration[.batchMax] == 2)
    #expect(configuration.entry(of: Setting.batchMax).origin == .environment)
    #expect(configuration[.httpPort] == 3)
    #expect(configuration.entry(of: Setting.httpPort).origin == .flag)
  }

  @Test func anEmptyValueIsAsIfNotSet() throws {
    let configuration = try Self.load(["ORDERS_CONFIG_FILE": "f", "ORDERS_PREFETCH": ""], files: ["f": "ORDERS_PREFETCH=7"])
    #expect(configuration[.prefetch] == 7)
  }

  @Test(arguments: [
    ("ORDERS_PREFETCH", "many", "a whole number from 1 to 65535"), ("ORDERS_PREFETCH", "0", "a whole number"), ("ORDERS_BATCH_MAX", "10001", "10000"),
    ("ORDERS_HTTP_PORT", "65536", "65535"), ("ORDERS_LOG_LEVEL", "loud", "trace, debug, info"), ("ORDERS_AUTH", "maybe", "required, off"),
    ("ORDERS_DRAIN_TIMEOUT", "25", "such as 250ms"), ("ORDERS_CACHE_TTL", "0s", "from 1s"), ("ORDERS_DEFAULT_CURRENCY", "usd", "ISO 4217"),
    ("ORDERS_RETRY_RUNGS", "1s,3s", "\"3s\" is none of them"), ("ORDERS_ROLES", "commands,", "\"\" is none of them"), ("ORDERS_PREFIX", "a b", "letters"),
    ("ORDERS_DATABASE_SCHEMA", "Orders", "lower-case"), ("ORDERS_DATABASE_SCHEMA", "1a", "lower-case"),
    ("ORDERS_PAYMENT_PROVIDER", "cash", "none, http, stripe"),
    ("ORDERS_PAYMENT_URL", "ftp://x", "http://…"), ("ORDERS_AMQP_URL", "http://x", "amqp://"), ("ORDERS_DATABASE_URL", "mysql://x", "postgres://"),
    ("ORDERS_REDIS_URL", "http://x", "redis://"), ("ORDERS_ENV", "test", "development, production"),
    ("ORDERS_HTTP_PORT", "tcp://10.0.0.1:80", "enableServiceLinks"),
  ])
  func aWrongValueIsNamedWithWhatWasExpected(name: String, value: String, expected: String) throws {
    let sentences = Self.faults([name: value])
    try #require(sentences.count == 1)
    #expect(sentences[0].hasPrefix(name))
    #expect(sentences[0].contains(expected))
    #expect(sentences[0].contains("environment"))
  }

  @Test func allWrongValuesAreNamedAtOnce() {
    #expect(Self.faults(["ORDERS_PREFETCH": "x", "ORDERS_BATCH_MAX": "y"]).count == 2)
  }

  @Test(arguments: ["ORDERS_AMQP_URL", "ORDERS_DATABASE_URL", "ORDERS_REDIS_URL", "ORDERS_TOKEN"])
  func aWrongSecretIsNotRepeatedInTheSentence(name: String) {
    let sentences = Self.faults([name: "x://u:hunter2\u{7}@h:99999999"])
    #expect(sentences.count == 1)
    #expect(!sentences.joined().contains("hunter2"))
  }

  @Test func anUnknownKeyOfTheFileStopsAndNamesTheNearest() {
    let sentences = Self.faults(["ORDERS_CONFIG_FILE": "f"], files: ["f": "# ours\nORDERS_PREFETSH=5"])
    #expect(sentences == ["f:2: there is no setting ORDERS_PREFETSH; ORDERS_PREFETCH is the nearest"])
  }

  @Test func anUnknownFlagStopsAndNamesTheNearest() {
    #expect(Self.faults(flags: [("ORDERS_BATCHMAX", "5")]) == ["there is no setting ORDERS_BATCHMAX; ORDERS_BATCH_MAX is the nearest"])
  }

  @Test func anUnknownVariableOnlyWarns() throws {
    let configuration = try Self.load(["ORDERS_HTTP_PORT_80_TCP_ADDR": "10.0.0.1", "ORDERS_PREFECH": "5", "HOME": "/"])
    #expect(configuration.warnings.count == 2)
    #expect(configuration.warnings.contains { $0.contains("ORDERS_PREFECH ") && $0.contains("ORDERS_PREFETCH is the nearest") })
    #expect(configuration[.prefetch] == 2_000)
  }

  @Test(arguments: [
    ("ORDERS_PREFETCH=1\nORDERS_PREFETCH=2", "set already at f:1"), ("ORDERS_PREFETCH", "not of the form"), ("ORDERS_TOKEN=\"a", "do not close"),
    ("ORDERS_CONFIG_FILE=g", "in the file itself"),
  ])
  func aMalformedFileIsNamedWithItsLine(text: String, expected: String) throws {
    let sentences = Self.faults(["ORDERS_CONFIG_FILE": "f"], files: ["f": text])
    try #require(sentences.count == 1)
    #expect(sentences[0].contains("f:") && sentences[0].contains(expected))
  }

  @Test func aFileThatCannotBeReadStops() {
    #expect(Self.faults(["ORDERS_CONFIG_FILE": "gone"]) == ["ORDERS_CONFIG_FILE: gone cannot be read: No such file or directory"])
  }

  @Test(arguments: ["ORDERS_AMQP_URL", "ORDERS_DATABASE_URL", "ORDERS_REDIS_URL", "ORDERS_TOKEN", "ORDERS_PAYMENT_TOKEN"])
  func everySecretCanComeFromAFile(name: String) throws {
    let scheme = name == "ORDERS_DATABASE_URL" ? "postgres" : name == "ORDERS_REDIS_URL" ? "redis" : "amqp"
    let url = "\(scheme)://u:p@h:1/x"
    let setting = try #require(SettingTable.byName[name])
    #expect(setting.fileForm == name + "_FILE")
    let value = scheme == "redis" ? "redis://u:p@h:1/0" : url
    let entry = try Self.load([name + "_FILE": "s"], files: ["s": value + "\n"]).entry(of: setting)
    #expect(entry.text == value)
    #expect(entry.origin == .secretFile(path: "s", named: .environment))
  }

  /// Set-up has the workers' settings, and not their secrets.
  @Test func filesOfSecretsThatNobodyUsesAreNotMissed() throws {
    let given = ["ORDERS_AMQP_URL_FILE": "a", "ORDERS_PAYMENT_TOKEN_FILE": "gone", "ORDERS_REDIS_URL_FILE": "gone"]
    let configuration = try Self.load(given, secrets: ["ORDERS_AMQP_URL"], files: ["a": "amqp://mine"])
    #expect(configuration[.amqpURL] == "amqp://mine" && configuration[.paymentToken] == nil && configuration[.redisURL] == nil)
    #expect(Self.faults(given, files: ["a": "amqp://mine"]).count == 2)
  }

  @Test func aSecretGivenTwiceByOneSourceStops() {
    #expect(Self.faults(["ORDERS_TOKEN": "a", "ORDERS_TOKEN_FILE": "s"], files: ["s": "b"]).count == 1)
  }

  @Test func aSecretOfAStrongerSourceBeatsTheFileOfAWeakerOne() throws {
    let configuration = try Self.load(["ORDERS_TOKEN_FILE": "s"], flags: [("ORDERS_TOKEN", "mine")], files: ["s": "theirs"])
    #expect(configuration[.token] == "mine")
  }

  @Test func theReportMasksSecretsAndPasswords() throws {
    let configuration = try Self.load(["ORDERS_TOKEN": "hunter2", "ORDERS_AMQP_URL": "amqp://u:hunter2@h/", "ORDERS_DATABASE_URL": "host=h password=hunter2"])
    let report = ConfigurationReport(configuration)
    for text in [report.table, report.json] {
      #expect(!text.contains("hunter2"))
      #expect(text.contains("amqp://u:***@h/"))
      #expect(text.contains("host=h password=***"))
    }
    #expect(report.rows.count == SettingTable.all.count)
    #expect(report.rows.contains(.init(name: "ORDERS_TOKEN", value: "***", source: "environment")))
  }

  @Test func namesAndFlagsAreDistinct() {
    #expect(Set(SettingTable.knownNames).count == SettingTable.knownNames.count)
    #expect(Set(SettingTable.all.map(\.flag)).count == SettingTable.all.count)
  }

  @Test func authenticationNeedsKeysAndIsNeverOffInProduction() throws {
    #expect(throws: ConfigurationFaults.self) { try RunRules.check(Self.load()) }
    let keys = ["ORDERS_JWT_JWKS_URL": "https://login.test/jwks.json", "ORDERS_SIGNING_KEY_FILE": "/keys"]
    try RunRules.check(Self.load(keys))
    try RunRules.check(Self.load(keys.merging(["ORDERS_ENV": "production"]) { $1 }))
    for name in keys.keys { #expect(throws: ConfigurationFaults.self) { try RunRules.check(Self.load(keys.filter { $0.key != name })) } }
    #expect(throws: ConfigurationFaults.self) { try RunRules.check(Self.load(["ORDERS_AUTH": "off", "ORDERS_ENV": "production"])) }
    try RunRules.check(Self.load(["ORDERS_AUTH": "off"]))
  }
}
