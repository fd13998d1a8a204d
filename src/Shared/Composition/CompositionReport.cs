using System.Globalization;
using System.Runtime.CompilerServices;

namespace Bff.Composition;

/// <summary>The outcome of a composition.</summary>
/// <param name="Parts">All parts, in the order of their declaration.</param>
/// <param name="Total">Time since the request arrived.</param>
public sealed record CompositionReport(IReadOnlyList<Part> Parts, TimeSpan Total)
{
    /// <summary>Number of parts that were not skipped, including cached ones.</summary>
    public int ServicesCalled => Parts.Count(p => p.Status != PartStatus.Skipped);

    /// <summary>Number of parts with live, cached, stale or fallback data.</summary>
    public int ServicesSucceeded => Parts.Count(p => p.Status.Succeeded());

    /// <summary>Whether a part is degraded: failed, timed out, unavailable, stale or served from its fallback.</summary>
    public bool IsDegraded
    {
        get
        {
            foreach (var part in Parts)
            {
                if (part.Status is not (PartStatus.Live or PartStatus.Cached or PartStatus.Skipped))
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>Whether everybody may see the answer, because each of its parts is cached for everybody.</summary>
    internal bool IsPublic
    {
        get
        {
            foreach (var part in Parts)
            {
                if (part.Status != PartStatus.Skipped && !part.IsPublic)
                {
                    return false;
                }
            }

            return true;
        }
    }

    /// <summary>The value of <c>Server-Timing</c> (W3C): <c>user;dur=12.3;desc="live", total;dur=41.0</c>.</summary>
    public string ServerTiming()
    {
        var text = new DefaultInterpolatedStringHandler(0, 0, CultureInfo.InvariantCulture, stackalloc char[512]);
        foreach (var part in Parts)
        {
            if (part.Status != PartStatus.Skipped)
            {
                text.AppendLiteral(part.Name);
                text.AppendLiteral(";dur=");
                text.AppendFormatted(part.Latency.TotalMilliseconds, "0.0");
                text.AppendLiteral(";desc=\"");
                text.AppendLiteral(part.Status.Name());
                text.AppendLiteral("\", ");
            }
        }

        text.AppendLiteral("total;dur=");
        text.AppendFormatted(Total.TotalMilliseconds, "0.0");
        return text.ToStringAndClear();
    }
}
