using Bff.Callers;
using Bff.Routes;
using Bff.Upstreams;

namespace WebBff.Features.Notifications;

/// <summary>Marks one of the caller's notifications as read; passed through, once.</summary>
internal static class MarkRead
{
    public static Task Handle(string id, HttpContext context, Caller caller, PassThrough through) =>
        through.Send(context, "notifications", $"/users/{PathSegment.Of(caller.Subject)}/notifications/{PathSegment.Of(id)}/read");
}
