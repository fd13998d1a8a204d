using System.Globalization;
using Microsoft.Extensions.Configuration;
using OpenTelemetry.Trace;

namespace Bff.Observability;

/// <summary>
/// Creates the sampler that <c>OTEL_TRACES_SAMPLER</c> and <c>OTEL_TRACES_SAMPLER_ARG</c> name. Default: parent-based, always on.
/// </summary>
internal static class TraceSampler
{
    /// <summary>Creates the sampler.</summary>
    /// <param name="configuration">The configuration with the variables.</param>
    /// <param name="trustRemoteParent">False for hosts that untrusted clients call: the clients' sampled flag is then ignored.</param>
    public static Sampler From(IConfiguration configuration, bool trustRemoteParent)
    {
        var name = configuration["OTEL_TRACES_SAMPLER"] ?? "parentbased_always_on";
        Sampler root = name switch
        {
            "always_off" or "parentbased_always_off" => new AlwaysOffSampler(),
            "traceidratio" or "parentbased_traceidratio" => new TraceIdRatioBasedSampler(Ratio(configuration["OTEL_TRACES_SAMPLER_ARG"])),
            _ => new AlwaysOnSampler(),
        };
        return !name.StartsWith("parentbased_", StringComparison.Ordinal) ? root
            : trustRemoteParent ? new ParentBasedSampler(root)
            : new ParentBasedSampler(root, remoteParentSampled: root, remoteParentNotSampled: root);
    }

    private static double Ratio(string? text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var ratio) && ratio is >= 0 and <= 1 ? ratio : 1;
}
