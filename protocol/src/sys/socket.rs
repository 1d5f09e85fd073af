//! Small messages between two processes, with descriptors: a socket pair that keeps message borders. And datagrams from anybody, with the
//! count of those that the kernel had to drop.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use bytemuck::Pod;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, SocketFlags, SocketType,
};

/// Most descriptors that one message carries.
pub const DESCRIPTORS_MAX: usize = 4;

/// A connected pair; both ends close on exec.
///
/// # Errors
/// As the system says it.
pub fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?)
}

/// Sends one message. Never blocks: a full socket is an error.
///
/// # Errors
/// `WouldBlock` when the other side does not read, `BrokenPipe` when it is gone.
pub fn send<T: Pod>(socket: &impl AsFd, message: &T, descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
    #[cfg(feature = "faults")]
    super::fault::refuse("send")?;
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_MAX))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() && !ancillary.push(SendAncillaryMessage::ScmRights(descriptors)) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let bytes = IoSlice::new(bytemuck::bytes_of(message));
    rustix::net::sendmsg(socket, &[bytes], &mut ancillary, SendFlags::DONTWAIT | SendFlags::NOSIGNAL)?;
    Ok(())
}

/// Receives one message of exactly `T`'s size and what came with it; `None` when the other side is gone. Blocks unless
/// `is_waiting` is false.
///
/// # Errors
/// `InvalidData` for a message of another size; `WouldBlock` where there is none.
pub fn receive<T: Pod>(socket: &impl AsFd, is_waiting: bool) -> io::Result<Option<(T, Vec<OwnedFd>)>> {
    let mut message = T::zeroed();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_MAX))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::CMSG_CLOEXEC | if is_waiting { RecvFlags::empty() } else { RecvFlags::DONTWAIT };
    let received = loop {
        let mut bytes = [IoSliceMut::new(bytemuck::bytes_of_mut(&mut message))];
        match rustix::net::recvmsg(socket, &mut bytes, &mut ancillary, flags) {
            Err(rustix::io::Errno::INTR) => continue,
            outcome => break outcome?,
        }
    };
    if received.bytes == 0 {
        return Ok(None);
    }
    let descriptors = ancillary
        .drain()
        .filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
            _ => None,
        })
        .flatten()
        .collect();
    if received.bytes != size_of::<T>() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "message of another size"));
    }
    Ok(Some((message, descriptors)))
}

/// Lets the kernel keep up to `bytes` of datagrams until they are read; as much of that as it allows. Returns how much it is.
///
/// # Errors
/// As the system says it.
pub fn widen(socket: &impl AsFd, bytes: usize) -> io::Result<usize> {
    use nix::sys::socket::{getsockopt, setsockopt, sockopt};
    // Beyond the system's limit where we may; up to it otherwise.
    if setsockopt(socket, sockopt::RcvBufForce, &bytes).is_err() {
        setsockopt(socket, sockopt::RcvBuf, &bytes)?;
    }
    Ok(getsockopt(socket, sockopt::RcvBuf)?)
}

/// Has the kernel count the datagrams that it drops for want of room, for [`datagram`].
///
/// # Errors
/// As the system says it.
pub fn count_drops(socket: &impl AsFd) -> io::Result<()> {
    nix::sys::socket::setsockopt(socket, nix::sys::socket::sockopt::RxqOvfl, &1)?;
    Ok(())
}

/// A datagram that was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datagram {
    /// Its length, or that of the buffer if it was longer.
    pub bytes: usize,
    /// Its sender.
    pub from: SocketAddr,
    /// Datagrams dropped between the socket's creation and this one, modulo 2^32; `None` where nobody counts, or none was so far.
    pub dropped: Option<u32>,
}

/// Receives the next datagram.
///
/// # Errors
/// As the system says it; `WouldBlock` after the socket's read timeout.
pub fn datagram(socket: &UdpSocket, buffer: &mut [u8]) -> io::Result<Datagram> {
    use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg};
    let mut space = nix::cmsg_space!(u32);
    let mut parts = [IoSliceMut::new(buffer)];
    let flags = MsgFlags::empty();
    let message =
        recvmsg::<SockaddrStorage>(std::os::fd::AsRawFd::as_raw_fd(socket), &mut parts, Some(&mut space), flags)?;
    let dropped = message.cmsgs()?.find_map(|control| match control {
        ControlMessageOwned::RxqOvfl(count) => Some(count),
        _ => None,
    });
    let ip = |from: SockaddrStorage| -> Option<SocketAddr> {
        let v4 = from.as_sockaddr_in().map(|from| SocketAddr::V4((*from).into()));
        v4.or_else(|| from.as_sockaddr_in6().map(|from| SocketAddr::V6((*from).into())))
    };
    let from = message.address.and_then(ip).ok_or(io::ErrorKind::InvalidData)?;
    Ok(Datagram { bytes: message.bytes, from, dropped })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_datagram_is_received_or_counted_as_dropped() {
        let (receiver, sender) = (UdpSocket::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
        receiver.set_nonblocking(true).unwrap();
        nix::sys::socket::setsockopt(&receiver, nix::sys::socket::sockopt::RcvBuf, &1).unwrap();
        count_drops(&receiver).unwrap();
        let send = || sender.send_to(&[7; 100], receiver.local_addr().unwrap()).unwrap();
        let mut buffer = [0; 200];
        let (mut received, mut dropped) = (0, 0);
        for _ in 0..100 {
            send();
        }
        let mut take = || {
            while let Ok(datagram) = super::datagram(&receiver, &mut buffer) {
                assert_eq!((datagram.bytes, datagram.from), (100, sender.local_addr().unwrap()));
                received += 1;
                dropped = datagram.dropped.unwrap_or(dropped);
            }
        };
        take();
        // The count comes with the datagram after the gap.
        send();
        take();
        assert!(dropped > 0 && received > 0);
        assert_eq!(received + dropped, 101);
    }

    #[test]
    fn a_message_arrives_whole_with_its_descriptors_and_the_end_is_seen() {
        let (ours, theirs) = pair().unwrap();
        let segment = crate::sys::memory::create(c"test", 4096).unwrap();
        send(&ours, &0x55u64, &[segment.as_fd()]).unwrap();
        let (value, descriptors) = receive::<u64>(&theirs, true).unwrap().unwrap();
        assert_eq!((value, descriptors.len()), (0x55, 1));
        assert_eq!(receive::<u64>(&theirs, false).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        send(&ours, &7u32, &[]).unwrap();
        assert_eq!(receive::<u64>(&theirs, true).unwrap_err().kind(), io::ErrorKind::InvalidData);
        drop(ours);
        assert!(receive::<u64>(&theirs, true).unwrap().is_none());
    }
}
