using Bff.TestKit.Failures;

namespace WebBff.Tests.Failures;

public sealed class StormTests(FailureMatrixTests.Stage stage) : StormSuite(stage.Matrix), IClassFixture<FailureMatrixTests.Stage>;
