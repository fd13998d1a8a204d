using System.Diagnostics.Metrics;
using Bff.Configuration;
using Bff.Edge;
using Bff.Requests;

namespace PartnerBff.Versions;

/// <summary>
/// Adds headers about the end of a deprecated version (RFC 9745, RFC 8594) to every answer, and counts who still uses which version. Wraps
/// the whole pipeline, so that refusals have the headers too.
/// </summary>
internal sealed class VersionHeaders(RequestDelegate next, Reloadable<ApiVersions> versions)
{
    private static readonly Meter Meter = new("Bff.Partner");
    private static readonly Counter<long> Uses = Meter.CreateCounter<long>(
        "bff.partner.version.requests",
        "{request}",
        "Requests by version and tenant."
    );

    public async Task InvokeAsync(HttpContext context)
    {
        if (versions.Current.Of(context.Request.Path) is not var (name, version))
        {
            await next(context);
            return;
        }

        if (version is not null)
        {
            context.Response.OnStarting(
                static state =>
                {
                    var (context, version) = ((HttpContext, ApiVersion))state;
                    Write(context, version);
                    return Task.CompletedTask;
                },
                (context, version)
            );
        }

        await next(context);
        if (Uses.Enabled && context.Features.Get<BffRequest>()?.Caller.Tenant is { } tenant)
        {
            Uses.Add(1, new("version", name), new("tenant", tenant));
        }
    }

    private static void Write(HttpContext context, ApiVersion version)
    {
        var headers = context.Response.Headers;
        if (version.DeprecationHeader is { } deprecation)
        {
            headers["Deprecation"] = deprecation;
        }

        if (version.SunsetHeader is { } sunset)
        {
            headers["Sunset"] = sunset;
        }

        Append("deprecation", version.Link);
        Append("successor-version", version.Successor);

        void Append(string relation, string? address)
        {
            if (address is not null)
            {
                headers.Append("Link", $"<{(address[0] == '/' ? PublicUrl.Of(context) + address : address)}>; rel=\"{relation}\"");
            }
        }
    }
}

/// <summary>Answers 410 for a version that has ended; stands before the endpoints.</summary>
internal sealed class RetiredVersions(RequestDelegate next, Reloadable<ApiVersions> versions, TimeProvider time)
{
    public Task InvokeAsync(HttpContext context) =>
        versions.Current.Of(context.Request.Path) is (_, { Sunset: { } sunset }) && sunset <= time.GetUtcNow()
            ? new Problem(ProblemCodes.VersionRetired).ExecuteAsync(context)
            : next(context);
}
