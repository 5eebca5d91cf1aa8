import Testing

@testable import order_worker

@Suite struct DoctorReportTests {
  private static func finding(_ verdict: Finding.Verdict, _ found: String = "it is so", mend: String? = nil, place: String? = nil) -> Finding {
    Finding(subject: .redis, place: place, check: "memory", verdict: verdict, found: found, mend: mend)
  }

  @Test(arguments: [
    ([Finding.Verdict.ok], false, false), ([.ok, .warning], false, true), ([.notChecked], false, false), ([.problem, .ok], true, true),
  ])
  func problemsAreBadAndWarningsWhereOneIsStrict(verdicts: [Finding.Verdict], isBad: Bool, isBadStrictly: Bool) {
    let report = DoctorReport(verdicts.map { Self.finding($0) })
    #expect(report.isBad(strict: false) == isBad)
    #expect(report.isBad(strict: true) == isBadStrictly)
  }

  @Test func whatIsWorstComesFirstAndIsCountedLast() {
    let report = DoctorReport([.ok, .warning, .notChecked, .problem, .problem].map { Self.finding($0) })
    let lines = report.text(width: nil, isColoured: false).split(separator: "\n", omittingEmptySubsequences: false)
    #expect(
      lines.map { String($0.prefix(11)) } == ["VERDICT    ", "problem    ", "problem    ", "warning    ", "not checked", "ok         ", "", "2 problems,"])
    #expect(lines.last == "2 problems, 1 warning, 1 ok, 1 not checked")
  }

  @Test(arguments: [60, 90, 120]) func noLineIsWiderThanTheTerminalButForWordsThatAre(width: Int) {
    let report = DoctorReport([
      Self.finding(.problem, String(repeating: "word ", count: 60), mend: "`CONFIG SET x y`", place: String(repeating: "/long", count: 20))
    ])
    let lines = report.text(width: width, isColoured: false).split(separator: "\n")
    #expect(lines.allSatisfy { $0.count <= width }, "\(lines)")
    #expect(lines.joined(separator: " ").split(separator: " ").count { $0 == "word" } == 60)
    #expect(lines.contains { $0.contains("→ `CONFIG SET x y`") })
  }

  @Test func colourIsForTheVerdictOnly() {
    let text = DoctorReport([Self.finding(.problem)]).text(width: nil, isColoured: true)
    #expect(text.contains("\u{1B}[31mproblem\u{1B}[0m  redis"))
    #expect(text.split(separator: "\u{1B}").count == 3)
  }

  @Test func machinesGetAllOfIt() {
    let json = DoctorReport([Self.finding(.notChecked, "a \"b\"", place: "x:1"), Self.finding(.ok)]).json
    #expect(
      json == """
        {"findings":[{"verdict":"not checked","of":"redis","at":"x:1","check":"memory","found":"a \\"b\\"","mend":null},\
        {"verdict":"ok","of":"redis","at":null,"check":"memory","found":"it is so","mend":null}],\
        "counts":{"problem":0,"warning":0,"not_checked":1,"ok":1}}
        """)
  }

  @Test(arguments: [("orders.commands", "orders.commands"), ("/", "/"), ("a b", "'a b'"), ("it's", "'it'\\''s'"), ("", "''"), ("$x", "'$x'")])
  func namesAreSafeToPasteIntoAShell(name: String, word: String) { #expect(name.shellWord == word) }

  @Test func linesOfServersBecomeOne() {
    var list = FindingList(.postgres)
    list.problem("host", "Connection refused\n\tIs the server running?", mend: "start it")
    #expect(list.all.first?.found == "Connection refused Is the server running?")
  }

  @Test func aRoundThatFindsNoEndIsLeftBehindAndNamed() async {
    let quick = await Checkup.bounded(.redis, within: .seconds(60)) { .init(findings: [Self.finding(.ok)]) }
    #expect(quick.findings.map(\.verdict) == [.ok])
    let stuck = await Checkup.bounded(.redis, within: .milliseconds(20)) {
      try? await Task.sleep(for: .seconds(60))
      return .init(findings: [])
    }
    #expect(stuck.findings.map(\.verdict) == [.problem])
    #expect(stuck.findings.first?.found == "no end of it within 20ms")
  }
}
