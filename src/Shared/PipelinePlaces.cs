using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Builder;

namespace Bff;

/// <summary>
/// The places at which a host's own middleware may join <see cref="BffPipeline.UseBffPipeline"/>. Within a place, middleware runs in the
/// order in which it was added.
/// </summary>
public sealed class PipelinePlaces
{
    private const DynamicallyAccessedMemberTypes Reached =
        DynamicallyAccessedMemberTypes.PublicConstructors | DynamicallyAccessedMemberTypes.PublicMethods;

    private readonly List<Action<IApplicationBuilder>> _beforeEdge = [];
    private readonly List<Action<IApplicationBuilder>> _afterCallers = [];
    private readonly List<Action<IApplicationBuilder>> _beforeEndpoint = [];

    /// <summary>
    /// Adds middleware before everything else. It sees every request as it arrived and every answer as it leaves, refusals included. The
    /// request has no ids and no caller yet.
    /// </summary>
    public PipelinePlaces BeforeEdge<[DynamicallyAccessedMembers(Reached)] TMiddleware>() => Add<TMiddleware>(_beforeEdge);

    /// <summary>Adds middleware that runs once the caller is known, before anything is charged to the caller's limits.</summary>
    public PipelinePlaces AfterCallers<[DynamicallyAccessedMembers(Reached)] TMiddleware>() => Add<TMiddleware>(_afterCallers);

    /// <summary>Adds middleware that runs after admission, right before the endpoint.</summary>
    public PipelinePlaces BeforeEndpoint<[DynamicallyAccessedMembers(Reached)] TMiddleware>() => Add<TMiddleware>(_beforeEndpoint);

    internal void JoinBeforeEdge(IApplicationBuilder app) => Join(_beforeEdge, app);

    internal void JoinAfterCallers(IApplicationBuilder app) => Join(_afterCallers, app);

    internal void JoinBeforeEndpoint(IApplicationBuilder app) => Join(_beforeEndpoint, app);

    private PipelinePlaces Add<[DynamicallyAccessedMembers(Reached)] TMiddleware>(List<Action<IApplicationBuilder>> place)
    {
        place.Add(static app => app.UseMiddleware<TMiddleware>());
        return this;
    }

    private static void Join(List<Action<IApplicationBuilder>> place, IApplicationBuilder app) => place.ForEach(join => join(app));
}
