using System.Text.Json;
using Bff.Edge;
using Bff.Events;
using Bff.Paging;
using Bff.Requests;
using PartnerBff.Webhooks;
using EventId = Bff.Events.EventId;

namespace PartnerBff.Features.Events;

/// <summary>An event.</summary>
/// <param name="Id">Position in the log; pass it as <c>since</c> to get the events after it.</param>
/// <param name="Type">Type such as <c>order.shipped</c>.</param>
/// <param name="Subject">Subject of the event, such as the id of an order.</param>
/// <param name="Timestamp">When it happened.</param>
/// <param name="Data">Same as <c>data</c> of a webhook.</param>
public sealed record EventContract(string Id, string Type, string? Subject, DateTimeOffset Timestamp, JsonElement Data)
{
    internal static EventContract Of(LoggedEvent logged)
    {
        using var data = JsonDocument.Parse(logged.Data);
        return new(logged.Id.ToString(), logged.Head.Type, logged.Head.Subject, logged.OccurredAt, data.RootElement.Clone());
    }
}

/// <summary>A page of the event log.</summary>
/// <param name="IsComplete">False if events after <c>since</c> are no longer in the log; read the resources themselves.</param>
public sealed record EventPageContract(IReadOnlyList<EventContract> Data, bool HasMore, string? NextCursor, bool IsComplete);

/// <summary>Lists the tenant's events, oldest first. The sandbox has none, because services publish only live events.</summary>
internal static class ListEvents
{
    private const int Step = 100;
    private const int MaxSteps = 10; // A filter that matches little gets a short page early rather than a long search.

    public static async Task<IResult> Handle(HttpContext context, Caller caller, IEventLog log, Cursors cursors)
    {
        var limit = Limit.Parse(context).Value;
        var types = context.Request.Query["type"].SelectMany(t => (t ?? "").Split(',', StringSplitOptions.TrimEntries)).ToList();
        if (!EventTypes.AreFilters(types))
        {
            return Problem.Invalid("type", $"Must be at most {EventTypes.MaxFilters} names such as order.shipped, order.* or *.");
        }

        var pages = await cursors.For("partner/events", caller, context.Request.Query["type"].ToString());
        var opened = await pages.Open(context);
        if (!TryPlace(opened ?? context.Request.Query["since"].ToString(), out var after))
        {
            return Problem.Invalid("since", "Must be an event's id or a time such as 2026-01-31T09:30:00Z.");
        }

        var page = caller.IsSandbox
            ? new Found([], null, true)
            : await Read(log, caller.Tenant!, after, types.Count == 0 ? ["*"] : types, limit, context.RequestAborted);
        var next = page.ReadUpTo is { } place ? pages.Seal(place.ToString()) : null;
        if (NextLink.Of(context, next) is { } link)
        {
            context.Response.Headers.Link = link;
        }

        return TypedResults.Json(
            new EventPageContract([.. page.Events.Select(EventContract.Of)], next is not null, next, page.IsComplete),
            PartnerJson.Answers.EventPageContract
        );
    }

    private static async Task<Found> Read(
        IEventLog log,
        string tenant,
        EventId after,
        IReadOnlyList<string> types,
        int limit,
        CancellationToken cancellation
    )
    {
        var found = new List<LoggedEvent>();
        var isComplete = true;
        for (var step = 0; step < MaxSteps; step++)
        {
            var page = await log.ReadTenant(tenant, after, Step, cancellation);
            isComplete &= page.IsComplete || after == default;
            foreach (var logged in page.Events)
            {
                if (EventTypes.Match(types, logged.Head.Type))
                {
                    if (found.Count == limit)
                    {
                        return new(found, after, isComplete);
                    }

                    found.Add(logged);
                }

                after = logged.Id;
            }

            if (page.Events.Count < Step)
            {
                return new(found, null, isComplete);
            }
        }

        return new(found, after, isComplete);
    }

    private static bool TryPlace(string text, out EventId place)
    {
        place = default;
        if (text.Length == 0 || EventId.TryParse(text, out place))
        {
            return true;
        }

        var isTime = Rfc3339.TryParseOrDay(text, out var moment);
        place = isTime ? EventId.JustBefore(moment) : default;
        return isTime;
    }

    private sealed record Found(IReadOnlyList<LoggedEvent> Events, EventId? ReadUpTo, bool IsComplete);
}
