using System.Diagnostics;
using Bff.Observability;
using Microsoft.Extensions.Configuration;
using OpenTelemetry.Trace;

namespace Bff.Shared.Tests.Observability;

public sealed class TraceSamplerTests
{
    [Theory]
    [InlineData(null, true, true, true)]
    [InlineData(null, true, false, false)]
    [InlineData("parentbased_always_off", true, true, true)]
    [InlineData("parentbased_always_off", false, true, false)]
    [InlineData("parentbased_always_on", false, false, true)]
    [InlineData("always_off", true, true, false)]
    [InlineData("parentbased_traceidratio", false, true, false)]
    public void The_sampled_flag_of_an_untrusted_client_is_ignored(string? sampler, bool trusted, bool remoteSampled, bool sampled)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?> { ["OTEL_TRACES_SAMPLER"] = sampler, ["OTEL_TRACES_SAMPLER_ARG"] = "0" })
            .Build();
        var parent = new ActivityContext(
            ActivityTraceId.CreateRandom(),
            ActivitySpanId.CreateRandom(),
            remoteSampled ? ActivityTraceFlags.Recorded : ActivityTraceFlags.None,
            isRemote: true
        );

        var decision = TraceSampler
            .From(configuration, trusted)
            .ShouldSample(new SamplingParameters(parent, parent.TraceId, "GET", ActivityKind.Server))
            .Decision;

        Assert.Equal(sampled, decision == SamplingDecision.RecordAndSample);
    }
}
