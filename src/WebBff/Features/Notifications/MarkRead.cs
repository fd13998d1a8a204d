using Bff.Requests;
using Bff.Routes;
using WebBff.Upstreams;

namespace WebBff.Features.Notifications;

/// <summary>Marks one of the caller's notifications as read; the request is passed through, once.</summary>
internal static class MarkRead
{
    public static Task Handle(string id, HttpContext context, Caller caller, PassThrough through, INotifications notifications) =>
        through.Send(context, notifications.MarkRead(caller.Subject, id));
}
