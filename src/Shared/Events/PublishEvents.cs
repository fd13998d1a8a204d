using Bff.Caching;
using Bff.Edge;
using Bff.Requests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Events;

/// <summary>
/// <c>POST /internal/events</c>: accepts CloudEvents 1.0, one or a batch.
/// 1. Checks all events.
/// 2. Drops the cached fragments that they make stale, so that a client that hears of the event reads new data.
/// 3. Appends the events to the log, all or none.
/// 4. Answers 202.
/// After any other answer the service publishes again; no event is taken twice.
/// </summary>
internal static class PublishEvents
{
    public static void MapEventPublishing(this IEndpointRouteBuilder endpoints) =>
        endpoints
            .MapPost("/internal/events", (RequestDelegate)Handle)
            .RequireServiceToken("events.publish")
            .WithoutLimits()
            .ExcludeFromDescription();

    private static async Task Handle(HttpContext context)
    {
        if (!MediaTypes.IsJson(context.Request.ContentType) || context.Request.Headers.ContentEncoding.Count > 0)
        {
            throw new ProblemException(
                new Problem(ProblemCodes.UnsupportedMediaType)
                {
                    Detail = "Send the body as application/cloudevents+json or application/cloudevents-batch+json.",
                }
            );
        }

        var events = CloudEventReader.Read(await RequestBody.Read(context, context.RequestAborted));
        var tags = events.Select(e => FragmentTags.OfEvent(e.Head.Type, e.Head.Subject)).OfType<string>().Distinct().ToList();
        await context.RequestServices.GetRequiredService<IFragmentInvalidator>().Invalidate(tags, context.RequestAborted);
        await context.RequestServices.GetRequiredService<IEventLog>().Append(events, context.RequestAborted);
        context.Response.StatusCode = StatusCodes.Status202Accepted;
    }
}
