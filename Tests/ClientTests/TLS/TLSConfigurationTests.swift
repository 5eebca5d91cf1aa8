import PostgresClient
import RabbitMQClient
import Testing

/// What URLs say of encryption, and what is said of those that leave it out.
struct TLSConfigurationTests {
  @Test func anEncryptedURLIsReadWhole() throws {
    let url = "amqps://u:hunter2@one,two:7,[::1]/v?cacertfile=/ca%20s.pem&certfile=/c.pem&keyfile=/k.pem&server_name_indication=rabbit&heartbeat=5"
    let configuration = try ConnectionConfiguration(url: url, name: "x")
    #expect(configuration.hosts.map(\.port) == [5671, 7, 5671] && configuration.virtualHost == "v")
    #expect(configuration.description == "amqps://u@one:5671,two:7,[::1]:5671/v")
    let tls = try #require(configuration.tls)
    #expect(tls.authorities == "/ca s.pem" && tls.certificate == "/c.pem" && tls.key == "/k.pem" && tls.serverName == "rabbit" && tls.verifiesServer)
    let bare = try #require(try ConnectionConfiguration(url: "amqps://h", name: "x").tls)
    #expect(bare.verifiesServer && bare.authorities == nil && bare.certificate == nil)
    #expect(try ConnectionConfiguration(url: "amqps://h?verify=verify_none", name: "x").tls?.verifiesServer == false)
    #expect(try ConnectionConfiguration(url: "amqp://h?heartbeat=5", name: "x").tls == nil)
  }

  @Test(arguments: [
    ("amqps://h?verify=verify_nome", "verify_peer, the default, or verify_none"), ("amqps://h?verify=", "verify in the RabbitMQ URL has no value"),
    ("amqps://h?cacertfile", "cacertfile in the RabbitMQ URL has no value"), ("amqps://h?cafile=/x", "unknown parameter"),
    ("amqps://u:12?hunter2@h", "unknown parameter"), ("amqps://h?keyfile=/k", "keyfile without certfile"),
    ("amqp://h?cacertfile=/x", "cacertfile, which counts for amqps:// only"), ("amqp://h?verify=verify_peer", "verify, which counts for amqps:// only"),
    ("amqps://h?cacertfile=%zz", "percent-encoding"), ("amqps://h?cacertfile=%00", "no value"), ("AMQPS://h", "must begin with amqp:// or amqps://"),
  ])
  func aWrongParameterIsRefusedAndNothingIsQuoted(url: String, sentence: String) {
    let error = #expect(throws: AMQPError.self) { _ = try ConnectionConfiguration(url: url, name: "x") }
    #expect(error?.code == .wrongURL && error?.message.contains(sentence) == true, "\(error?.message ?? "")")
    #expect(error?.message.contains("hunter2") == false && error?.message.contains("nome") == false)
  }

  @Test(arguments: [
    ("amqp://u:hunter2@rabbit", "to RabbitMQ at rabbit:5672 is not encrypted"),
    ("amqp://u:hunter2@localhost,10.0.0.1,b:7", "to RabbitMQ at 10.0.0.1:5672, b:7 is not encrypted"),
    ("amqps://u:hunter2@rabbit?verify=verify_none", "RabbitMQ at rabbit:5671 is not verified"),
    ("amqps://u:hunter2@rabbit", nil), ("amqp://localhost", nil), ("amqp://127.0.0.2,[::1]", nil), ("amqp://127.example.com", "not encrypted"),
    ("amqps://localhost?verify=verify_none", nil),
  ])
  func whatSomebodyOnTheWayToRabbitMQCouldDoIsSaid(url: String, sentence: String?) throws {
    let exposure = try ConnectionConfiguration(url: url, name: "x").exposure
    if let sentence { #expect(exposure?.contains(sentence) == true, "\(exposure ?? "")") } else { #expect(exposure == nil) }
    #expect(exposure?.contains("hunter2") != true)
  }

  @Test(arguments: [
    ("postgres://u:hunter2@db/d", "to PostgreSQL at db:5432 may go unencrypted with sslmode=prefer"),
    ("postgres://u:hunter2@a,localhost,c:7/d?sslmode=disable", "at a:5432, c:7 may go unencrypted with sslmode=disable"),
    ("host=db port=7 password=hunter2 sslmode=require", "PostgreSQL at db:7 is not verified"),
    ("host=localhost hostaddr=10.0.0.1", "at localhost:5432 may go unencrypted"), ("host=db hostaddr=127.0.0.1", nil),
    ("postgres://u@db/d?sslmode=verify-full", nil), ("postgres://u@db/d?sslmode=verify-ca", nil), ("postgres://localhost/d", nil),
    ("host=/run/postgresql", nil), ("postgres:///d", nil), ("postgres://127.0.0.1,[::1]/d?sslmode=disable", nil),
  ])
  func whatSomebodyOnTheWayToPostgreSQLCouldDoIsSaid(url: String, sentence: String?) throws {
    let exposure = try PostgresConfiguration(url: url).exposure
    if let sentence { #expect(exposure?.contains(sentence) == true, "\(exposure ?? "")") } else { #expect(exposure == nil) }
    #expect(exposure?.contains("hunter2") != true)
  }
}
