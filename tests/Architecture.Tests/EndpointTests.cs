using System.Text.Json;
using Bff.Requests;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Architecture.Tests;

/// <summary>Tests the metadata of every endpoint of every host, including those of the proxy.</summary>
[Collection(RealHostsCollection.Name)]
public sealed class EndpointTests(RealHosts hosts)
{
    public static TheoryData<string> Hosts => new(Source.Hosts);

    [Theory]
    [MemberData(nameof(Hosts))]
    public void Every_endpoint_says_who_may_call_it(string host) =>
        Assert.Empty(
            Endpoints(host)
                .Where(e => e.Metadata.GetMetadata<CallerRule>() is null && e.Metadata.GetMetadata<IAllowAnonymous>() is null)
                .Select(Name)
                .ToList()
        );

    /// <summary>An endpoint is limited by its name, which has a cost and may have a bucket of its own, or opts out of limits.</summary>
    [Theory]
    [MemberData(nameof(Hosts))]
    public void Every_endpoint_is_limited_by_name_or_says_that_it_is_not(string host) =>
        Assert.Empty(
            Endpoints(host)
                .Where(e => e.Metadata.GetMetadata<EndpointName>() is null && !e.Metadata.Any(m => m.GetType().Name == "Unlimited"))
                .Select(Name)
                .ToList()
        );

    [Theory]
    [MemberData(nameof(Hosts))]
    public void Every_endpoint_is_described_with_its_answers_and_problems_or_says_that_it_is_not(string host)
    {
        var documented = Documented(host);
        var silent = Endpoints(host)
            .Where(e => e.Metadata.GetMetadata<IExcludeFromDescriptionMetadata>() is not { ExcludeFromDescription: true })
            .SelectMany(e =>
                (e.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? ["any"]).Select(m => $"{m.ToLowerInvariant()} {Path(e)}")
            )
            .Where(o => !documented.Contains(o))
            .ToList();

        Assert.NotEmpty(documented);
        Assert.Empty(silent);
    }

    /// <summary>Returns the operations that declare a successful answer and a problem document.</summary>
    private static HashSet<string> Documented(string host) =>
        Directory
            .EnumerateFiles(
                System.IO.Path.Combine(Source.Root, "contracts"),
                host.Replace("Bff", "", StringComparison.Ordinal).ToLowerInvariant() + "*.json"
            )
            .SelectMany(f =>
            {
                using var document = JsonDocument.Parse(File.ReadAllText(f));
                return document
                    .RootElement.GetProperty("paths")
                    .EnumerateObject()
                    .SelectMany(p =>
                        p.Value.EnumerateObject()
                            .Where(o =>
                                o.Value.TryGetProperty("responses", out var answers)
                                && answers.EnumerateObject().Any(a => a.Name[0] is '1' or '2' or '3')
                                && answers.EnumerateObject().Any(IsProblem)
                            )
                            .Select(o => $"{o.Name} {p.Name}")
                    )
                    .ToList();
            })
            .ToHashSet(StringComparer.Ordinal);

    private static bool IsProblem(JsonProperty answer) =>
        answer.Name[0] is '4' or '5'
        && answer.Value.TryGetProperty("content", out var content)
        && content.TryGetProperty("application/problem+json", out _);

    private List<RouteEndpoint> Endpoints(string host)
    {
        var endpoints = hosts
            .Services[host]
            .GetServices<EndpointDataSource>()
            .SelectMany(s => s.Endpoints)
            .OfType<RouteEndpoint>()
            .ToList();

        Assert.Contains(endpoints, e => e.Metadata.Any(m => m.GetType().FullName == "Yarp.ReverseProxy.Model.RouteModel"));
        return endpoints;
    }

    private static string Path(RouteEndpoint endpoint) => "/" + endpoint.RoutePattern.RawText!.Trim('/');

    private static string Name(RouteEndpoint endpoint) => $"{endpoint.RoutePattern.RawText} ({endpoint.DisplayName})";
}
