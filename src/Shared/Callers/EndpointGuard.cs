using Bff.Requests;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Hosting;

namespace Bff.Callers;

/// <summary>Denies by default: the host does not start while an endpoint does not say who may call it.</summary>
internal sealed class EndpointGuard : IHostedService
{
    private ICollection<EndpointDataSource> _sources = [];

    /// <summary>Sets the endpoints to check. They are checked when the host starts, after all have been mapped.</summary>
    public void Watch(IEndpointRouteBuilder endpoints) => _sources = endpoints.DataSources;

    /// <inheritdoc />
    /// <exception cref="InvalidOperationException">Names every endpoint without a guard.</exception>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        var mistakes = _sources.SelectMany(source => source.Endpoints).OfType<RouteEndpoint>().Select(Mistake).OfType<string>().ToList();
        return mistakes.Count == 0
            ? Task.CompletedTask
            : throw new InvalidOperationException("Endpoints that do not say who may call them: " + string.Join("; ", mistakes));
    }

    /// <inheritdoc />
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private static string? Mistake(RouteEndpoint endpoint)
    {
        var (anonymous, rule) = (-1, -1);
        for (var i = 0; i < endpoint.Metadata.Count; i++)
        {
            anonymous = endpoint.Metadata[i] is IAllowAnonymous ? i : anonymous;
            rule = endpoint.Metadata[i] is CallerRule ? i : rule;
        }

        var name = endpoint.DisplayName ?? endpoint.RoutePattern.RawText;
        return (anonymous, rule) switch
        {
            (-1, -1) => $"'{name}' needs RequireScope, RequireRole or AllowAnonymous",
            (>= 0, >= 0) when rule > anonymous =>
                $"'{name}' asks for a scope or role inside a group that AllowAnonymous opened, which would win",
            _ => null,
        };
    }
}
