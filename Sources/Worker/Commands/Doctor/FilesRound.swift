import ClientRuntime
import PostgresClient
import RabbitMQClient

/// Looks at the files that the settings name: who may read those with secrets, and when certificates run out.
struct FilesRound: Sendable {
  private let configuration: Configuration

  init(_ configuration: Configuration) { self.configuration = configuration }

  func findings(now: Int64) -> Checkup.Part {
    .init(findings: SecretFile.judge(secrets()) + sealingKeys() + certificates(now: now))
  }

  private func secrets() -> [SecretFile] {
    var files: [SecretFile] = []
    for setting in SettingTable.all {
      if case .secretFile(let path, _) = configuration.entry(of: setting).origin { files.append(SecretFile(name: setting.name + "_FILE", path: path)) }
    }
    let named: [(any AnySetting, String?)] = [
      (Setting.jwtSecretFile, configuration[.jwtSecretFile]), (Setting.jwtPrivateKeyFile, configuration[.jwtPrivateKeyFile]),
      (Setting.signingKeyFile, configuration[.signingKeyFile]),
    ]
    for (setting, path) in named { if let path { files.append(SecretFile(name: setting.name, path: path)) } }
    if let key = amqp?.key ?? amqp?.certificate { files.append(SecretFile(name: "keyfile of ORDERS_AMQP_URL", path: key)) }
    if let key = postgres?.key { files.append(SecretFile(name: "sslkey of ORDERS_DATABASE_URL", path: key)) }
    // That the sealing keys cannot be read is said once.
    return files.filter { $0.mode != nil || $0.name != Setting.signingKeyFile.name }
  }

  private func sealingKeys() -> [Finding] {
    guard let path = configuration[.signingKeyFile] else { return [] }
    var list = FindingList(.files, at: path)
    do {
      _ = try AuthRules.sealingKeys(configuration)
      list.ok("sealing keys", "they can be used")
    } catch {
      list.problem(
        "sealing keys", error.sentences.joined(separator: "; "), mend: "docs/security.md says how to make them; the worker's user must be able to read them")
    }
    return list.all
  }

  /// Of what the worker shows. A server's own, and the authorities that it leads to, are looked at where they are met.
  private func certificates(now: Int64) -> [Finding] {
    [("certfile of ORDERS_AMQP_URL", amqp?.certificate), ("sslcert of ORDERS_DATABASE_URL", postgres?.certificate)].flatMap { name, path in
      guard let path else { return [Finding]() }
      var list = FindingList(.files, at: path)
      if let end = CertificateEnd(ofFile: path) {
        CertificateJudge.judge(end, now: now, check: "client certificate", mend: "have it issued again; it is read anew for each connection", into: &list)
      } else {
        list.problem("client certificate", "\(name): it cannot be read, or has no certificate in PEM format", mend: "correct the path, or the rights on it")
      }
      return list.all
    }
  }

  private var amqp: TLSSettings? { (try? ConnectionConfiguration(url: configuration[.amqpURL], name: ""))?.tls }
  private var postgres: (certificate: String?, key: String?)? { (try? PostgresConfiguration(url: configuration[.databaseURL]))?.tlsFiles }
}
