using Bff.TestKit.Failures;

namespace PartnerBff.Tests.Failures;

/// <summary>Tests every failure mode of every part of every endpoint: upstreams fail, the gateway does not.</summary>
public sealed class FailureMatrixTests(FailureMatrixTests.Stage stage) : LeavingSuite(stage.Matrix), IClassFixture<FailureMatrixTests.Stage>
{
    public static TheoryData<string> Ways => [.. FailureWay.All.Where(w => w.Only is null).Select(w => w.Name)];

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Every_failure_of_a_service_gives_the_specified_answer(string way)
    {
        var kind = FailureWay.All.Single(w => w.Name == way);

        var (wrong, cases) = await stage.Matrix.Run(kind);

        Assert.True(wrong.Count == 0, string.Join(Environment.NewLine, wrong));
        Assert.True(cases >= 18, $"only {cases} cases");
        Assert.Empty(FailureMatrix.ErrorsIn(stage.Host.Log));
    }

    [Fact]
    public async Task Every_kind_of_call_tells_the_service_the_same_caller() => Assert.Empty(await stage.Matrix.RunIdentity());

    [Fact]
    public async Task No_endpoint_is_open_to_a_token_without_its_scope() => Assert.Empty(await stage.Matrix.RunUnscoped(stage.Token));

    [Fact]
    public void The_table_has_every_endpoint_of_the_host()
    {
        var mapped = FailureRoutes.Of(stage.Host.Services).Where(r => !PartnerTable.AsksNoService(r));

        Assert.Equal(mapped, stage.Rows.Select(r => r.Route).Distinct().Order(StringComparer.Ordinal));
    }

    /// <summary>
    /// One host for all cases. Before anything fails, it has answered every endpoint once and called exactly the services that the table
    /// names.
    /// </summary>
    public sealed class Stage : IAsyncLifetime
    {
        private Surroundings _surroundings = null!;

        internal PartnerHost Host { get; private set; } = null!;

        internal FailureMatrix Matrix { get; private set; } = null!;

        internal IReadOnlyList<FailureRow> Rows { get; private set; } = null!;

        internal string Token(FailureLane lane) =>
            _surroundings.Identity.MintToken(
                new TokenRequest
                {
                    Sub = lane.User,
                    ClientId = lane.User,
                    Tid = "acme",
                    Scope = "account.read",
                }
            );

        public async Task InitializeAsync()
        {
            _surroundings = await Surroundings.StartAsync();
            Host = PartnerHost.Start(
                _surroundings,
                FailureMatrix.Settings(_surroundings.Services, PartnerTest.Parts).WithPlans("enterprise")
            );
            Rows = PartnerTable.Rows(_surroundings);
            var lanes = await FailureLanes.OfTenant(_surroundings, "acme", 16);
            Matrix = new(_surroundings.Services, Host.Client, Rows, lanes, static (_, _) => null);
            Assert.Empty(await Matrix.RunHealthy());
        }

        public async Task DisposeAsync()
        {
            await Host.DisposeAsync();
            await _surroundings.DisposeAsync();
        }
    }
}
